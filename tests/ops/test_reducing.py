"""reduce_mean, reduce_sum, reduce_max, reduce_min and l2norm."""

from __future__ import annotations

from itertools import product
from math import prod, sqrt
from typing import Any

import numpy as np
import pytest

from compiler.ops import OPS
from compiler.ops.reducing import L2Norm, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refuse

X = [[1.0, -2.0, 6.0], [3.0, 4.0, 0.0]]
FUNCTIONS: dict[str, Any] = {
    "reduce_mean": lambda values: sum(values) / len(values),
    "reduce_sum": sum,
    "reduce_max": max,
    "reduce_min": min,
}


def test_hand_computed() -> None:
    assert apply(make(ReduceMean, 0), X) == [2, 1, 3]
    assert apply(make(ReduceSum, 1), X) == [5, 7]
    assert apply(make(ReduceMax, -1), X) == [6, 4]
    assert apply(make(ReduceMin, [0]), X) == [1, -2, 0]
    assert apply(make(ReduceMax, 1, keep=True), X) == [[6], [4]]
    assert apply(make(ReduceSum), X) == 12
    assert apply(make(ReduceMean, [1, 0], keep=True), X) == [[2]]


def test_a_length_of_one() -> None:
    assert apply(make(L2Norm), [[3.0, 0.0], [4.0, 0.0]]) == [[0.6, 0], [0.8, 0]]
    assert apply(make(L2Norm, 1), [[3.0, 4.0]]) == [[0.6, 0.8]]
    assert apply(make(L2Norm, -1, eps=10.0), [[3.0, 4.0]]) == [[0.3, 0.4]]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, [0, 2], [1, -1], [2, 0, 1]])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_reductions_are_plain_loops(name: str, axis: Any, keep: bool) -> None:
    shape = (3, 4, 5)
    result = check(make(OPS[name], axis, keep=keep), shape)
    given = range(3) if axis is None else axis if isinstance(axis, list) else [axis]
    axes = {place % 3 for place in given}
    x = result.inputs[0]
    wanted = []
    for n in range(len(x)):
        rest = [range(s) for i, s in enumerate(shape) if i not in axes]
        for place in product(*rest):
            places = iter(place)
            fixed = [None if i in axes else next(places) for i in range(3)]
            along = [range(s) if f is None else [f] for s, f in zip(shape, fixed, strict=True)]
            wanted.append(FUNCTIONS[name]([float(x[(n, *p)]) for p in product(*along)]))
    np.testing.assert_allclose(np.ravel(result.reference), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_norm_is_a_plain_loop(axis: int) -> None:
    shape = (3, 4, 5)
    result = check(make(L2Norm, axis, eps=0.5), shape)
    x = result.inputs[0]
    for place in product(range(2), *map(range, shape)):
        at = axis % 3 + 1
        line = [float(x[(*place[:at], i, *place[at + 1 :])]) for i in range(x.shape[at])]
        wanted = float(x[place]) / max(sqrt(sum(v * v for v in line)), 0.5)
        assert result.reference[place] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_open_sizes(name: str) -> None:
    sizes = [{"H": 4, "W": 7}, {"H": 1, "W": 1}]
    for axis, keep in ((0, False), ([1, 2], True), (1, False), (None, False), (-1, True)):
        check_symbolic(make(OPS[name], axis, keep=keep), (3, H, W), sizes=sizes)
    check_symbolic(make(L2Norm, 1), (3, H, W), sizes=sizes)


def test_what_is_left() -> None:
    assert one_op(make(ReduceMean), (3, H, W))["layer"].shape == ()
    assert one_op(make(ReduceMean, 0), (3, H, W))["layer"].shape == (H, W)
    assert one_op(make(ReduceMean, [1, 2], keep=True), (3, H, W))["layer"].shape == (3, 1, 1)
    assert one_op(make(ReduceMax, 0), (3,))["layer"].shape == ()
    assert prod(one_op(make(ReduceSum, keep=True), (3, 4, 5))["layer"].shape) == 1


def test_refusals() -> None:
    assert refuse(make(ReduceMean, 3), (3, 4, 5)).argument == "axis"
    twice = refuse(make(ReduceSum, [0, -3]), (3, 4, 5))
    assert (twice.code, twice.message) == ("E305", "reduce_sum takes each axis once")
    assert refuse(make(L2Norm, 1), (3,)).code == "E305"
