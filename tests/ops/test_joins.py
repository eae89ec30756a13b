"""add, mul, sub, div, max, min, mean and concat."""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np
import pytest

from compiler.domain import Facts
from compiler.ops import OPS
from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refuse

A, B, C = [[1.0, -2.0], [3.0, 4.0]], [[5.0, 6.0], [-7.0, 8.0]], [[0.0, 1.0], [2.0, 3.0]]
DEFINITIONS: dict[str, Any] = {
    "add": lambda *x: reduce(add, x),
    "mul": lambda *x: reduce(mul, x),
    "max": lambda *x: max(x),
    "min": lambda *x: min(x),
    "mean": lambda *x: sum(x) / len(x),
}


def test_hand_computed_pairs_and_triples() -> None:
    assert apply(make(Add), A, B) == [[6, 4], [-4, 12]]
    assert apply(make(Add), A, B, C) == [[6, 5], [-2, 15]]
    assert apply(make(Mul), A, B) == [[5, -12], [-21, 32]]
    assert apply(make(Sub), A, B) == [[-4, -8], [10, -4]]
    assert apply(make(Div), B, [[5.0, -2.0], [2.0, 4.0]]) == [[1, -3], [-3.5, 2]]
    assert apply(make(Min), A, B, C) == [[0, -2], [-7, 3]]
    assert apply(make(Max), A, B, C) == [[5, 6], [3, 8]]
    assert apply(make(Mean), A, B, C) == [[2, pytest.approx(5 / 3)], [pytest.approx(-2 / 3), 5]]


def test_concat_joins_channels_unless_told_otherwise() -> None:
    assert apply(make(Concat), A, B) == [*A, *B]
    assert apply(make(Concat, axis=1), A, B) == [[1, -2, 5, 6], [3, 4, -7, 8]]
    assert apply(make(Concat, axis=-1), A, B) == [[1, -2, 5, 6], [3, 4, -7, 8]]


@pytest.mark.parametrize("name", [*DEFINITIONS, "concat"])
def test_a_join_of_one_hands_it_on(name: str) -> None:
    assert apply(make(OPS[name]), A) == A


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_joins_are_element_by_element(name: str, count: int) -> None:
    result = check(make(OPS[name]), *[(3, 4, 5)] * count)
    columns = zip(*(map(float, np.ravel(x)) for x in result.inputs), strict=True)
    wanted = [DEFINITIONS[name](*column) for column in columns]
    np.testing.assert_allclose(np.ravel(result.reference), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [*DEFINITIONS, "sub"])
@pytest.mark.parametrize(
    "shapes", [((3, 4, 5), (3, 1, 1)), ((3, 1, 1), (3, 4, 5)), ((1, 4), (3, 1)), ((3,), (3,))]
)
def test_a_size_of_one_stretches(name: str, shapes: Any) -> None:
    result = check(make(OPS[name]), *shapes)
    a, b = (x.astype(np.float64) for x in result.inputs)
    elementwise = np.vectorize(DEFINITIONS.get(name, lambda a, b: a - b))
    np.testing.assert_allclose(result.reference, elementwise(a, b), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 5), (3, 2, 4, 5)])
def test_concat_along_every_axis(shape: tuple[int, ...]) -> None:
    for axis in range(-len(shape), len(shape)):
        other = list(shape)
        other[axis] = 6
        result = check(make(Concat, axis=axis), shape, tuple(other))
        along = axis % len(shape) + 1
        first, second = np.split(result.reference, [shape[axis]], axis=along)
        np.testing.assert_array_equal(first, result.inputs[0])
        np.testing.assert_array_equal(second, result.inputs[1])


def test_a_model_for_symbolic_sizes_is_right_at_every_size() -> None:
    sizes = [{"H": 8, "W": 9}, {"H": 2, "W": 5}]
    for name in (*DEFINITIONS, "sub"):
        check_symbolic(make(OPS[name]), (3, H, W), (3, H, W), sizes=sizes)
        check_symbolic(make(OPS[name]), (3, H, W), (3, 1, 1), sizes=sizes)
    check_symbolic(make(Concat), (3, H, W), (5, H, W), sizes=sizes)
    check_symbolic(make(Concat, axis=1), (3, H, W), (3, 2 * H, W), sizes=sizes)


def test_equal_sizes_may_follow_from_a_fact() -> None:
    facts = Facts()
    facts.assume(H % 4, "==", 0)
    back = H // 4 * 4
    assert one_op(make(Add), (3, H), (3, back), facts=facts)["layer"].shape == (3, H)
    error = refuse(make(Add), (3, H), (3, back))
    assert error.code == "E304" and error.help == "`assert H % 4 == 0` would prove it"


@pytest.mark.parametrize("name", [*DEFINITIONS, "sub", "concat"])
def test_ranks_and_sizes_that_disagree_are_refused(name: str) -> None:
    op = make(OPS[name])
    error = refuse(op, (3, 4, 5), (3,))
    assert (error.code, error.argument) == ("E305", None)
    assert error.message == f"{name} joins tensors of one rank"
    error = refuse(op, (3, 4, 5), (3, 6, 5))
    assert (error.code, error.label) == ("E304", "height: 4 and 6")
    error = refuse(op, (3, 4, W), (3, 4, H))
    assert error.code == "E304" and error.help is not None


def test_channels_that_disagree_ask_for_a_projection() -> None:
    error = refuse(make(Add), (64, 8, 8), (256, 8, 8))
    assert error.label == "channels: 64 and 256"
    assert error.help == "a 1x1 conv brings a branch to the other's channels: conv(64, 1x1)"
    both = refuse(make(Add), (3, 32, 32), (16, 30, 30))
    assert both.help is not None and "their maps differ too: pad the branch" in str(both.help)


def test_concat_refuses_an_axis_that_is_not_there() -> None:
    assert refuse(make(Concat, axis=3), (3, 4, 5)).argument == "axis"
    assert refuse(make(Concat, axis=-4), (3, 4, 5)).code == "E305"


def test_sub_takes_two_and_the_others_any_number() -> None:
    assert (Sub.least_inputs, Sub.most_inputs) == (2, 2)
    for name in (*DEFINITIONS, "concat"):
        assert (OPS[name].least_inputs, OPS[name].most_inputs) == (1, None)
