"""bn, lrn, groupnorm, layernorm and instancenorm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.onnx.lower import lower
from compiler.onnx.normalise import WIDEST_BAND
from compiler.ops.arguments import ArgumentError
from compiler.ops.normalise import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refusals, refuse
from tests.ops import loops
from tests.ops.geometry import examples

SHAPES = [(4,), (4, 5), (4, 5, 3), (6, 2, 5, 3)]


def test_bn_of_hand_computed_statistics() -> None:
    op = make(BatchNorm, eps=0.25)
    got = apply(
        op,
        [[5.0, 1.0], [3.0, 3.0]],
        weight=[3, 1],
        bias=[1, -1],
        running_mean=[1, 3],
        running_var=[3.75, 0.75],
    )
    # (5 - 1)/sqrt(4) * 3 + 1 = 7; the second channel sits at its mean and keeps its bias
    np.testing.assert_allclose(got, [[7, 1], [-1, -1]], rtol=1e-6)


def test_bn_may_add_nothing_to_the_variance() -> None:
    """As the frozen normalisations of detectors do."""
    held = {"weight": [3, 1], "bias": [1, -1], "running_mean": [1, 3], "running_var": [4, 0.25]}
    got = apply(make(BatchNorm, eps=0), [[5.0], [1.0]], **held)
    np.testing.assert_allclose(got, [[7], [-5]], rtol=1e-6)
    with pytest.raises(ArgumentError, match="from 0 up to"):
        make(BatchNorm, eps=-1e-5)


def test_bn_holds_its_statistics_as_buffers() -> None:
    weights = make(BatchNorm).weights(((5, 3, 4),))
    assert [(w.name, w.shape, w.buffer) for w in weights] == [
        ("weight", (5,), False),
        ("bias", (5,), False),
        ("running_mean", (5,), True),
        ("running_var", (5,), True),
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("opset", [13, 21])
def test_norms_without_factors_learn_nothing(shape: tuple[int, ...], opset: int) -> None:
    """(x - mean)/sqrt(variance + eps), the statistics held or those of the sample."""
    kinds = [make(BatchNorm, eps=1e-3, affine=False), make(GroupNorm, 2, eps=1e-3, affine=False)]
    lasts = [[*range(first, len(shape))] for first in range(len(shape))]
    kinds += [make(LayerNorm, 1e-3, axis=axes, affine=False) for axes in lasts]
    for op in kinds:
        result = check(op, shape, opset=opset)
        assert all(weight.buffer for weight in op.weights((shape,)))
        x = result.inputs[0].astype(np.float64)
        if isinstance(op, BatchNorm):
            column = (shape[0], *[1] * (len(shape) - 1))
            mean, variance = (
                result.arrays[f"running_{name}"].astype(np.float64).reshape(column)
                for name in ("mean", "var")
            )
        else:
            if isinstance(op, GroupNorm):
                x = x.reshape(len(x), 2, -1)
            axes = tuple(a + 1 for a in op.axis) if isinstance(op, LayerNorm) else (2,)
            mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        wanted = ((x - mean) / np.sqrt(variance + 1e-3)).reshape(result.reference.shape)
        np.testing.assert_allclose(result.reference, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("eps", [1e-3, 0])
@pytest.mark.parametrize("shape", SHAPES)
def test_bn_is_its_formula(shape: tuple[int, ...], eps: float) -> None:
    result = check(make(BatchNorm, eps=eps), shape)
    held = {name: value.astype(np.float64) for name, value in result.arrays.items()}
    for c in range(shape[0]):
        x = result.inputs[0][:, c].astype(np.float64)
        root = (held["running_var"][c] + eps) ** 0.5
        wanted = (x - held["running_mean"][c]) / root * held["weight"][c] + held["bias"][c]
        np.testing.assert_allclose(result.reference[:, c], wanted, rtol=1e-10, atol=1e-12)


def test_lrn_of_hand_computed_channels_divides_alpha_by_its_size() -> None:
    op = make(LocalResponseNorm, 3, alpha=3.0, beta=1.0, k=1.0)
    # channel 0: 1/(1 + 1 * (1 + 4)); channel 1: 2/(1 + (1 + 4 + 9)); channel 2: 3/(1 + (4 + 9))
    got = apply(op, [[1.0], [2.0], [3.0]])
    np.testing.assert_allclose(got, [[1 / 6], [2 / 15], [3 / 14]], rtol=1e-6)


@pytest.mark.parametrize("name", ["alpha", "beta", "k"])
def test_lrn_takes_what_onnx_runtime_takes(name: str) -> None:
    for number in (0, -0.5):
        with pytest.raises(ArgumentError, match="a number above 0"):
            make(LocalResponseNorm, 3, **{name: number})


def test_lrn_defaults_are_those_of_the_language() -> None:
    assert make(LocalResponseNorm, 5) == LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


@examples
@given(
    st.integers(1, 8),
    st.sampled_from((1, 3, 5, 7, 17)),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from(((1e-4, 0.75, 1.0), (5e-1, 0.75, 2.0), (2.0, 0.5, 1.0))),
)
def test_lrn_is_its_formula(
    channels: int, size: int, sizes: list[int], numbers: tuple[float, float, float]
) -> None:
    alpha, beta, k = numbers
    result = check(make(LocalResponseNorm, size, alpha=alpha, beta=beta, k=k), (channels, *sizes))
    wanted = loops.lrn(result.inputs[0], size, alpha, beta, k)
    np.testing.assert_allclose(result.reference, wanted, rtol=1e-10)


@pytest.mark.parametrize("sizes", [(3,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize(("channels", "operator"), [(WIDEST_BAND, "Conv"), (257, "LRN")])
def test_lrn_is_a_band_of_weights_where_that_is_less_work(
    channels: int, operator: str, sizes: tuple[int, ...]
) -> None:
    op = make(LocalResponseNorm, 5, alpha=0.5)
    check(op, (channels, *sizes))
    types = [node.op_type for node in lower(one_op(op, (channels, *sizes))).graph.node]
    assert (operator in types) and ("Pow" not in types)


def standardised(values: Any, eps: float) -> Any:
    """(x - mean)/sqrt(variance + eps) of a flat list, by its definition."""
    numbers = [float(v) for v in np.ravel(values)]
    mean = sum(numbers) / len(numbers)
    variance = sum((v - mean) ** 2 for v in numbers) / len(numbers)
    return np.reshape([(v - mean) / (variance + eps) ** 0.5 for v in numbers], np.shape(values))


def test_groupnorm_of_hand_computed_groups() -> None:
    op = make(GroupNorm, 2, eps=1e-12)
    x = [[1.0, 3.0], [1.0, 3.0], [10.0, 10.0], [14.0, 14.0]]
    got = apply(op, x, weight=[1, 1, 1, 5], bias=[0, 0, 0, 1])
    np.testing.assert_allclose(got, [[-1, 1], [-1, 1], [-1, -1], [6, 6]], rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("groups", [1, 2])
def test_groupnorm_is_its_formula(shape: tuple[int, ...], groups: int) -> None:
    result = check(make(GroupNorm, groups), shape)
    each = shape[0] // groups
    for n in range(2):
        for g in range(groups):
            own = slice(g * each, (g + 1) * each)
            broadcast = (-1, *([1] * (len(shape) - 1)))
            wanted = standardised(result.inputs[0][n, own], 1e-5) * result.arrays["weight"][
                own
            ].astype(np.float64).reshape(broadcast) + result.arrays["bias"][own].astype(
                np.float64
            ).reshape(broadcast)
            np.testing.assert_allclose(result.reference[n, own], wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_layernorm_is_its_formula_over_a_whole_sample(shape: tuple[int, ...]) -> None:
    result = check(make(LayerNorm), shape)
    assert result.arrays["weight"].shape == shape
    for n in range(2):
        wanted = standardised(result.inputs[0][n], 1e-5) * result.arrays["weight"].astype(
            np.float64
        ) + result.arrays["bias"].astype(np.float64)
        np.testing.assert_allclose(result.reference[n], wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("opset", [13, 17, 21])
@pytest.mark.parametrize("axis", [0, 1, -1, [0, 2], [-1, 1], [0, 1]])
def test_layernorm_of_some_axes_is_its_formula_at_each_place_of_the_others(
    axis: int | list[int], opset: int
) -> None:
    shape = (3, 4, 5)
    result = check(make(LayerNorm, axis=axis), shape, opset=opset)
    axes = sorted(a % 3 for a in ([axis] if isinstance(axis, int) else axis))
    assert result.arrays["weight"].shape == tuple(shape[a] for a in axes)
    weight, bias = (result.arrays[name].astype(np.float64) for name in ("weight", "bias"))
    rest = [a for a in range(3) if a not in axes]
    for place in np.ndindex(2, *(shape[a] for a in rest)):
        at: list[Any] = [place[0], slice(None), slice(None), slice(None)]
        for a, index in zip(rest, place[1:], strict=True):
            at[a + 1] = index
        wanted = standardised(result.inputs[0][tuple(at)], 1e-5) * weight + bias
        np.testing.assert_allclose(result.reference[tuple(at)], wanted, rtol=1e-9, atol=1e-10)


def test_layernorm_of_the_channels_takes_symbolic_maps() -> None:
    sizes = [{"H": 4, "W": 7}, {"H": 1, "W": 2}]
    check_symbolic(make(LayerNorm, axis=0), (3, H, W), sizes=sizes)
    assert refuse(make(LayerNorm, axis=[0, 1]), (3, H, W)).code == "E307"
    assert refuse(make(LayerNorm, axis=[0, -3]), (3, H, W)).argument == "axis"


def test_layernorm_of_the_last_axis_takes_symbolic_sizes_before_it() -> None:
    sizes = [{"H": 3, "W": 5}, {"H": 4, "W": 2}]
    check_symbolic(make(LayerNorm, axis=2), (H, W, 6), sizes=sizes)


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("affine", [False, True])
def test_instancenorm_is_its_formula_over_each_map(shape: tuple[int, ...], affine: bool) -> None:
    result = check(make(InstanceNorm, affine=affine), shape)
    assert set(result.arrays) == ({"weight", "bias"} if affine else set())
    for n in range(2):
        for c in range(shape[0]):
            wanted = standardised(result.inputs[0][n, c], 1e-5)
            if affine:
                wanted = wanted * float(result.arrays["weight"][c]) + float(
                    result.arrays["bias"][c]
                )
            np.testing.assert_allclose(result.reference[n, c], wanted, rtol=1e-9, atol=1e-10)


def test_layernorm_and_instancenorm_of_hand_computed_maps() -> None:
    x = [[1.0, 3.0], [10.0, 30.0]]
    np.testing.assert_allclose(
        apply(make(InstanceNorm, eps=1e-12), x), [[-1, 1], [-1, 1]], rtol=1e-6
    )
    got = apply(
        make(LayerNorm, eps=1e-12),
        [[1.0, 3.0], [3.0, 1.0]],
        weight=[[1, 2], [3, 4]],
        bias=[[0, 0], [0, 10]],
    )
    np.testing.assert_allclose(got, [[-1, 2], [3, 6]], rtol=1e-6)


@pytest.mark.parametrize(
    "op",
    [
        make(BatchNorm),
        make(LocalResponseNorm, 3),
        make(GroupNorm, 2),
        make(InstanceNorm, affine=True),
    ],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (4, H, W), sizes=[{"H": 8, "W": 9}, {"H": 2, "W": 5}])


def test_lrn_along_a_symbolic_wave_is_right_at_every_size() -> None:
    check_symbolic(make(LocalResponseNorm, 3), (4, W), sizes=[{"W": 9}, {"W": 5}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(BatchNorm), (H, 8, 8), "E307", None),
    (make(LocalResponseNorm, 4), (8, 8, 8), "E306", "size"),
    (make(LocalResponseNorm, 3), (8,), "E305", None),
    (make(GroupNorm, 3), (8, 8, 8), "E303", "groups"),
    (make(GroupNorm, 3), (H, 8, 8), "E307", None),
    (make(LayerNorm), (8, 8, W), "E307", None),
    (make(InstanceNorm), (8,), "E305", None),
    (make(InstanceNorm), (H, 8), "E307", None),
)
