"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compiler.ops import OPS
from compiler.ops.activate import Clip, LeakyRelu, LogSoftmax, PRelu, Softmax
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals

SHAPES = [(5,), (3, 4), (3, 4, 5), (3, 2, 4, 5)]


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# By name the formula, and what it makes of -1e4 and 1e4.
DEFINITIONS: dict[str, tuple[Callable[[float], float], tuple[float, float]]] = {
    "relu": (lambda x: x if x > 0 else 0, (0, 1e4)),
    "relu6": (lambda x: min(max(x, 0), 6), (0, 6)),
    "leaky_relu": (lambda x: x if x > 0 else 0.01 * x, (-100, 1e4)),
    "elu": (lambda x: x if x > 0 else math.exp(x) - 1, (-1, 1e4)),
    # Klambauer et al. 2017: lambda and alpha to the digits that they print
    "selu": (
        lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
        (-1.7580993408473766, 10507.00987),
    ),
    "gelu": (lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))), (0, 1e4)),
    "celu": (lambda x: x if x > 0 else math.exp(x) - 1, (-1, 1e4)),
    "thresholded_relu": (lambda x: x if x > 1 else 0, (0, 1e4)),
    "softsign": (lambda x: x / (1 + abs(x)), (-1e4 / 10001, 1e4 / 10001)),
    "mish": (lambda x: x * math.tanh(math.log1p(math.exp(x))), (0, 1e4)),
    "silu": (lambda x: x * logistic(x), (0, 1e4)),
    "hardsigmoid": (lambda x: min(max(x + 3, 0), 6) / 6, (0, 1)),
    "hardswish": (lambda x: x * min(max(x + 3, 0), 6) / 6, (0, 1e4)),
    "log_sigmoid": (lambda x: math.log(logistic(x)), (-1e4, 0)),
    "sigmoid": (logistic, (0, 1)),
    "tanh": (math.tanh, (-1, 1)),
    "softplus": (lambda x: math.log(1 + math.exp(x)), (0, 1e4)),
}
RAMP = [-9.0, -6.5, -3.0, -2.5, -1.0, -0.25, 0.0, 0.25, 1.0, 2.5, 3.0, 6.0, 6.5, 9.0]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_ramp_goes_through_its_formula(name: str) -> None:
    wanted = [DEFINITIONS[name][0](x) for x in RAMP]
    np.testing.assert_allclose(apply(make(OPS[name]), RAMP), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank_is_computed_element_by_element(name: str, shape: tuple[int, ...]) -> None:
    result = check(make(OPS[name]), shape)
    wanted = [DEFINITIONS[name][0](float(x)) for x in np.ravel(result.inputs[0])]
    np.testing.assert_allclose(np.ravel(result.reference), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_large_numbers_neither_overflow_nor_become_nothing(name: str) -> None:
    got = apply(make(OPS[name]), [-1e4, 1e4])
    np.testing.assert_allclose(got, DEFINITIONS[name][1], rtol=1e-6)


def test_hand_computed_values_with_parameters() -> None:
    assert apply(make(LeakyRelu, 0.5), [-4.0, 4.0]) == [-2, 4]
    assert apply(make(LeakyRelu, 2), [-4.0, 4.0]) == [-8, 4]
    assert apply(make(OPS["elu"], alpha=3), [-50.0, 2.0]) == [pytest.approx(-3), 2]
    assert apply(make(OPS["celu"], alpha=3), [-150.0, 2.0]) == [pytest.approx(-3), 2]
    assert apply(make(OPS["celu"], alpha=2), [-2.0]) == [pytest.approx(2 * (math.exp(-1) - 1))]
    assert apply(make(OPS["thresholded_relu"], 0.5), [0.5, 0.75, -9.0]) == [0, 0.75, 0]
    assert apply(make(Clip, -1, 2), [-4.0, 0.5, 4.0]) == [-1, 0.5, 2]
    assert apply(make(PRelu), [-4.0, 4.0], weight=[0.75]) == [-3, 4]
    assert apply(make(PRelu, channelwise=True), [[-4.0], [-4.0]], weight=[0.5, -1]) == [[-2], [4]]


def test_the_approximate_gelu_is_its_formula_and_close_to_the_exact_one() -> None:
    result = check(make(OPS["gelu"], approximate=True), (3, 4, 5))
    x = result.inputs[0].astype(np.float64)
    wanted = x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-9)
    exact = check(make(OPS["gelu"]), (3, 4, 5)).reference
    np.testing.assert_allclose(result.reference, exact, atol=1e-3)


def test_prelu_has_one_slope_or_one_for_each_channel() -> None:
    assert [w.shape for w in make(PRelu).weights(((3, 4, 5),))] == [(1,)]
    assert [w.shape for w in make(PRelu, channelwise=True).weights(((3, 4, 5),))] == [(3,)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channelwise", [False, True])
def test_prelu_is_its_formula(shape: tuple[int, ...], channelwise: bool) -> None:
    result = check(make(PRelu, channelwise=channelwise), shape)
    slope = result.arrays["weight"].astype(np.float64).reshape(-1, *([1] * (len(shape) - 1)))
    x = result.inputs[0].astype(np.float64)
    np.testing.assert_allclose(result.reference, np.where(x > 0, x, slope * x), rtol=1e-12)


def test_softmax_of_hand_computed_logits() -> None:
    logits = [0.0, math.log(2), math.log(5)]
    np.testing.assert_allclose(apply(make(Softmax), logits), [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)
    wanted = [math.log(1 / 8), math.log(2 / 8), math.log(5 / 8)]
    np.testing.assert_allclose(apply(make(LogSoftmax), logits), wanted, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_sums_to_one_along_its_axis(shape: tuple[int, ...]) -> None:
    for axis in range(-len(shape), len(shape)):
        result = check(make(Softmax, axis=axis), shape)
        along = axis % len(shape) + 1
        np.testing.assert_allclose(result.reference.sum(axis=along), 1, rtol=1e-12)
        exponents = np.exp(result.inputs[0].astype(np.float64))
        wanted = exponents / exponents.sum(axis=along, keepdims=True)
        np.testing.assert_allclose(result.reference, wanted, rtol=1e-10)
        logarithm = check(make(LogSoftmax, axis=axis), shape).reference
        np.testing.assert_allclose(logarithm, np.log(wanted), rtol=1e-10)


def test_softmax_takes_large_logits() -> None:
    assert apply(make(Softmax), [1000.0, 1000.0]) == [0.5, 0.5]
    assert apply(make(LogSoftmax), [-2000.0, 0.0]) == [-2000, 0]


@pytest.mark.parametrize(
    "op",
    [make(OPS[name]) for name in DEFINITIONS]
    + [
        make(Clip, -0.5, 0.5),
        make(PRelu, channelwise=True),
        make(Softmax),
        make(Softmax, axis=-1),
        make(LogSoftmax, axis=1),
    ],
    ids=lambda op: op.name,
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 2, "W": 5}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Clip, 1, 1), (3, 4), "E306", "hi"),
    (make(Clip, 2, 1), (3, 4), "E306", "hi"),
    (make(Softmax, axis=2), (3, 4), "E305", "axis"),
    (make(Softmax, axis=-3), (3, 4), "E305", "axis"),
    (make(LogSoftmax, axis=1), (3,), "E305", "axis"),
)


def test_slopes_for_each_channel_need_a_known_number_of_channels() -> None:
    from compiler.ops.base import ShapeError

    with pytest.raises(ShapeError) as caught:
        make(PRelu, channelwise=True).weights(((H, 4),))
    assert caught.value.code == "E307"
