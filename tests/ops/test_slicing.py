"""slice."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.domain import Facts
from compiler.ops.slicing import Slice
from tests.opcheck import H, W, apply, check, check_symbolic, make, refuse

ROWS = [[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0]]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"first": 1, "last": 1}, [ROWS[1]]),
        ({"first": 1, "last": 2, "axis": 1}, [[1, 2], [11, 12]]),
        ({"first": 0, "last": 3, "step": 2, "axis": -1}, [[0, 2], [10, 12]]),
        ({"first": 3, "last": 0, "step": -1, "axis": 1}, [[3, 2, 1, 0], [13, 12, 11, 10]]),
        ({"first": 3, "last": 1, "step": -2, "axis": 1}, [[3, 1], [13, 11]]),
    ],
)
def test_hand_computed_parts(arguments: dict[str, Any], wanted: Any) -> None:
    assert apply(make(Slice, **arguments), ROWS) == wanted


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("first", "last", "step"), [(0, 2, 1), (1, 3, 2), (3, 0, -1), (2, 0, -2)])
def test_every_axis_and_direction_agrees_with_onnx_runtime(
    axis: int, first: int, last: int, step: int
) -> None:
    result = check(make(Slice, first, last, step=step, axis=axis), (4, 5, 6))
    wanted = result.inputs[0].take(range(first, last + step // abs(step), step), axis=axis + 1)
    assert (result.reference == wanted).all()


def test_a_slice_of_a_symbolic_axis_asks_for_enough_of_it() -> None:
    op = make(Slice, 1, 3, axis=1)
    assert op.conditions(((3, H, W),), Facts()) == ((H, 4),)
    check_symbolic(op, (3, H, W), sizes=[{"H": 4, "W": 2}, {"H": 7, "W": 5}])


@pytest.mark.parametrize(
    ("arguments", "code", "argument"),
    [
        ({"first": 0, "last": 4}, "E306", "last"),
        ({"first": 4, "last": 3, "step": -1}, "E306", "first"),
        ({"first": 2, "last": 1}, "E306", "last"),
        ({"first": 1, "last": 2, "step": -1}, "E306", "last"),
        ({"first": 0, "last": 1, "axis": 2}, "E305", "axis"),
    ],
)
def test_what_leads_outside_or_nowhere_is_refused(
    arguments: dict[str, Any], code: str, argument: str
) -> None:
    error = refuse(make(Slice, **arguments), (4, 5))
    assert (error.code, error.argument) == (code, argument)


def test_a_step_of_zero_is_no_step() -> None:
    with pytest.raises(ValueError, match="other than 0"):
        make(Slice, 0, 1, step=0)
