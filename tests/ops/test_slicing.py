"""slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.domain import Facts
from compiler.ops.slicing import Slice, Split
from grammar.diagnostics import DefinitionError
from tests.define import define
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


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"parts": 2, "part": 1}, [ROWS[1]]),
        ({"parts": 2, "axis": 1, "part": 0}, [[0, 1], [10, 11]]),
        ({"parts": [1, 2, 1], "axis": -1, "part": 1}, [[1, 2], [11, 12]]),
        ({"parts": 1, "axis": 1, "part": 0}, ROWS),
    ],
)
def test_hand_computed_parts_of_a_split(arguments: dict[str, Any], wanted: Any) -> None:
    assert apply(make(Split, **arguments), ROWS) == wanted


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("parts", [3, [1, 5], [2, 3, 1]])
def test_parts_of_any_axis_agree_with_onnx_runtime(axis: int, parts: Any) -> None:
    count = parts if isinstance(parts, int) else len(parts)
    made = [check(make(Split, parts, axis, part), (6, 6, 6)) for part in range(count)]
    whole = np.concatenate([one.reference for one in made], axis=axis % 3 + 1)
    assert (whole == made[0].inputs[0]).all()


def test_a_symbolic_axis_is_split_where_it_is_proved_to_divide() -> None:
    facts = Facts()
    facts.assume(H % 4, "==", 0)
    sizes = [{"H": 4, "W": 3}, {"H": 12, "W": 1}]
    for part in (0, 3):
        check_symbolic(make(Split, 4, 1, part), (3, H, W), sizes=sizes, facts=facts)
    error = refuse(make(Split, 4, 1, 0), (3, H, W))
    assert error.code == "E307" and "assert H % 4 == 0" in str(error.content.remedy)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"parts": 2, "axis": 1, "part": 0}, "parts"),
        ({"parts": [2, 2], "axis": 1, "part": 0}, "parts"),
        ({"parts": 2, "part": 2}, "part"),
        ({"parts": 2, "axis": 2, "part": 0}, "axis"),
    ],
)
def test_splits_that_do_not_fit_are_refused(arguments: dict[str, Any], argument: str) -> None:
    assert refuse(make(Split, **arguments), (4, 5)).argument == argument


HEAD = "net t { input x: f32[6, 4]; "
TAKEN = {
    "a, b, c = split(3); add(a, b, c)": ["split1.0", "split1.1", "split1.2"],
    "split([1, 5]) as parts; parts[0] -> relu; concat(parts[0], parts.part1)": [
        "parts.0",
        "parts.1",
    ],
    'split(2) as ""; add(x, x)': ["0", "1"],
    "split(2, part=1) as half": ["half"],
    "let sizes = [2, 4]; a, b = split(sizes); a -> flatten": ["split1.0", "split1.1"],
    "seq { relu; relu } as s; a, b = dense(4, axis=1) -> split(2); a -> relu": [
        "split1.0",
        "split1.1",
    ],
}


@pytest.mark.parametrize("text", TAKEN)
def test_parts_are_taken_by_name_by_index_or_alone(text: str) -> None:
    net = define(f"{HEAD}{text}; output y }}")
    assert [n.name for n in net.graph.nodes() if isinstance(n.op, Split)] == TAKEN[text]
    assert net.verify().ok


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("split(2); output y", "`split` gives several tensors"),
        ("a, b = split(3); output y = a", "2 names stand for 3 tensors"),
        ("a, b = split(2, axis=0) ; c, d = split(5); output y = a", "multiple of their number"),
    ],
)
def test_several_parts_are_no_single_tensor(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        define(f"{HEAD}{text} }}")
