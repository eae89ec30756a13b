"""flatten, reshape and transpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.domain import Facts
from compiler.ops.reshape import Flatten, Reshape, Transpose
from tests.opcheck import H, W, apply, check, check_symbolic, make, one_op, refusals, refuse

MAP = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]


def test_hand_computed_orders() -> None:
    assert apply(make(Flatten), MAP) == [*range(1, 13)]
    assert apply(make(Reshape, [3, 4]), MAP) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert apply(make(Reshape, [6, -1]), MAP)[1] == [3, 4]
    assert apply(make(Transpose, [2, 0, 1]), MAP) == [
        [[1, 4], [7, 10]],
        [[2, 5], [8, 11]],
        [[3, 6], [9, 12]],
    ]
    assert apply(make(Transpose, [1, 0]), [[1, 2, 3], [4, 5, 6]]) == [[1, 4], [2, 5], [3, 6]]


@pytest.mark.parametrize("shape", [(12,), (3, 4), (3, 4, 5), (3, 2, 4, 5)])
def test_every_rank_keeps_its_values_in_order(shape: tuple[int, ...]) -> None:
    flat = check(make(Flatten), shape)
    np.testing.assert_array_equal(flat.reference, flat.inputs[0].reshape(2, -1))
    back = check(make(Reshape, [1, -1, 2]), (*shape[:-1], shape[-1] * 2))
    np.testing.assert_array_equal(np.ravel(back.reference), np.ravel(back.inputs[0]))
    turned = check(make(Transpose, [*range(len(shape))][::-1]), shape)
    for index in np.ndindex(*shape):
        assert turned.reference[(1, *index[::-1])] == turned.inputs[0][(1, *index)]


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (make(Flatten), (3, H, W)),
        (make(Transpose, [2, 1, 0]), (3, H, W)),
        (make(Transpose, [1, 0]), (H, W)),
        (make(Reshape, [3, H, W]), (3, H, W)),  # each size stays on its axis
        (make(Reshape, [3, -1]), (3, H, W)),  # H*W is new
        (make(Reshape, [3 * H, W]), (3, H, W)),
        (make(Reshape, [W, 3, H]), (3, H, W)),  # two sizes move, one is looked up
        (make(Reshape, [4, 2, H, W]), (8, H, W)),
        (make(Reshape, [W, H, 3]), (3, H, W)),
        (make(Reshape, [-1, H]), (3, H, W)),  # 3*W left over
        (make(Reshape, [2, 3, -1]), (6, 2 * H)),
        (make(Reshape, [H, 1, 2 * W]), (2, H, W)),
        (make(Reshape, [H * W, 6]), (6, H, W)),
        (make(Reshape, [2 * H, 3 * W]), (6, H, W)),
        (make(Reshape, [3 * W, 3, 2 * H]), (18, H, W)),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any, shape: Any) -> None:
    results = check_symbolic(op, shape, sizes=[{"H": 4, "W": 6}, {"H": 5, "W": 2}])
    for result in results:
        if not isinstance(op, Transpose):
            np.testing.assert_array_equal(np.ravel(result.reference), np.ravel(result.inputs[0]))


def test_a_left_over_size_is_worked_out_in_closed_form() -> None:
    assert one_op(make(Reshape, [-1, H]), (3, H, W))["layer"].shape == (3 * W, H)
    facts = Facts()
    facts.assume(H % 4, "==", 0)
    assert one_op(make(Reshape, [4, -1]), (H,), facts=facts)["layer"].shape == (4, H // 4)


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Reshape, [5, 2]), (3, 4), "E301", "shape"),
    (make(Reshape, [5, -1]), (3, 4), "E301", "shape"),
    (make(Reshape, [4, -1]), (H,), "E301", "shape"),
    (make(Reshape, [H, -1]), (3, W), "E301", "shape"),
    (make(Reshape, [H, 4]), (3, W), "E301", "shape"),
    (make(Reshape, [1, 1, 1, 1, 1, 2, 6]), (3, 4), "E305", "shape"),
    (make(Transpose, [1, 0]), (3, 4, 5), "E305", "order"),
    (make(Transpose, [2, 1, 0]), (3, 4), "E305", "order"),
)


def test_a_wrong_number_of_values_shows_both_numbers() -> None:
    assert refuse(make(Reshape, [5, 2]), (3, 4)).label == "12 values come in, but the shape has 10"
    assert refuse(make(Reshape, [5, -1]), (3, 4)).label == "12 values do not divide by 5"


def test_flatten_from_an_axis_on() -> None:
    x = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]
    assert apply(make(Flatten, first=1), x) == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert apply(make(Flatten, first=-1), x) == x
    check_symbolic(make(Flatten, first=1), (3, H, W), sizes=[{"H": 2, "W": 5}, {"H": 1, "W": 1}])
    check_symbolic(make(Flatten, first=2), (3, H, W, 4), sizes=[{"H": 2, "W": 5}])
    assert refuse(make(Flatten, first=3), (3, 4, 5)).argument == "first"
