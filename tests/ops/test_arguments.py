"""The sorts of arguments: what each takes, what it makes of it, what it says to the rest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from compiler.dims import symbol
from compiler.ops.arguments import (
    DEVIATIONS,
    FLAG,
    FRACTION,
    INIT,
    NUMBER,
    NUMBERS,
    POSITIVE,
    ArgumentError,
    Extent,
    Kind,
    choice,
    extent,
    show,
    whole,
)
from compiler.ops.arrays import FIXED_VALUES, KERNEL_VALUES
from compiler.ops.sizes import AXIS, PADDING, PERMUTATION, SIZE, SIZES

H = symbol("H")


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        (whole(1), 3, 3),
        (NUMBER, 3, 3.0),
        (POSITIVE, 0.5, 0.5),
        (FRACTION, 0, 0.0),
        (FLAG, True, True),
        (choice("a", "b"), "b", "b"),
        (extent(1), 3, 3),
        (extent(1), Extent((1, 7)), Extent((1, 7))),
        (extent(1), [1, 7], Extent((1, 7))),
        (PADDING, 2, 2),
        (PADDING, "same_lower", "same_lower"),
        (PADDING, Extent((1, 3)), Extent((1, 3))),
        (PADDING, [1, 3], Extent((1, 3))),
        (PADDING, [(0, 1), (2, 0)], ((0, 1), (2, 0))),
        (PADDING, [[0, 1]], ((0, 1),)),
        (NUMBERS, 2, 2.0),
        (NUMBERS, [1, 2], (1.0, 2.0)),
        (DEVIATIONS, [0.5, 2], (0.5, 2.0)),
        (SIZE, H, H),
        (SIZES, [3, -1, H], (3, -1, H)),
        (PERMUTATION, [2, 0, 1], (2, 0, 1)),
        (AXIS, -1, -1),
        (INIT, "normal(0.01)", "normal(0.01)"),
        (INIT, "constant(-1)", "constant(-1)"),
        (KERNEL_VALUES, [[1, 2], [3, 4]], ((1.0, 2.0), (3.0, 4.0))),
        (FIXED_VALUES, None, None),
        (FIXED_VALUES, [1], (1.0,)),
    ],
)
def test_a_value_becomes_what_the_op_stores(kind: Kind, given: Any, made: Any) -> None:
    got = kind(given)
    assert got == made and type(got) is type(made)
    hash(got)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (whole(1), 0, "must be a whole number of at least 1, got 0"),
        (whole(1), 2.0, "must be a whole number of at least 1, got 2.0"),
        (whole(1), True, "must be a whole number of at least 1, got true"),
        (whole(1), H, "must be a known whole number, got the symbolic size H"),
        (NUMBER, "1", 'must be a number, got "1"'),
        (NUMBER, math.inf, "must be a number, got inf"),
        (NUMBER, True, "must be a number, got true"),
        (NUMBER, 10**400, "must be a number, got 1" + "0" * 79 + "…"),
        (POSITIVE, 0, "must be a number above 0, got 0"),
        (FRACTION, 1, "must be a number from 0 up to but not including 1, got 1"),
        (FLAG, 1, "must be true or false, got 1"),
        (choice("a", "b"), "c", 'must be one of "a", "b", got "c"'),
        (extent(1), Extent((0, 3)), "must be a whole number of at least 1 or a size such as 3x3"),
        (extent(1), [], "must be a whole number of at least 1 or a size such as 3x3, got []"),
        (extent(1), "3x3", 'or a size such as 3x3, got "3x3"'),
        (PADDING, -1, "must be a whole number of at least 0, a size such as 1x3, a list of"),
        (PADDING, "sam", '"same", "same_lower", "half", "valid", got "sam"'),
        (PADDING, [(1, -1)], "a list of (before, after) pairs"),
        (PADDING, [(1, 2, 3)], "a list of (before, after) pairs"),
        (PADDING, [(1, 2), 3], "a list of (before, after) pairs"),
        (NUMBERS, [], "must be a number, or a list with one number for each channel, got []"),
        (DEVIATIONS, [1, 0], "must be a number above 0, or a list with one for each channel"),
        (SIZE, 0, "must be a size: a whole number of at least 1, or a symbolic size, got 0"),
        (SIZES, [-1, -1], "may leave one size open with -1, got [-1, -1]"),
        (SIZES, [0], "must be a list of sizes"),
        (SIZES, 3, "must be a list of sizes"),
        (PERMUTATION, [0, 2], "must be a list that holds each axis 0, 1, … once, got [0, 2]"),
        (PERMUTATION, [0, 0], "must be a list that holds each axis 0, 1, … once"),
        (AXIS, 0.5, "must be a whole number: an axis, channels being 0, got 0.5"),
        (INIT, "normal", 'must be "he", "xavier", "lecun", "zero", "normal(0.01)" or'),
        (INIT, 3, 'must be "he", "xavier", "lecun", "zero", "normal(0.01)" or'),
        (KERNEL_VALUES, 3, "must be a nested list of numbers, one level for each spatial axis"),
        (KERNEL_VALUES, [[1, 2], [3]], "must have rows of equal length"),
        (KERNEL_VALUES, [[1, 2], 3], "must have rows of equal length"),
        (KERNEL_VALUES, [["a"]], "must be a nested list of numbers"),
        (KERNEL_VALUES, [[[[[[[1]]]]]]], "must nest at most 6 levels"),
        (KERNEL_VALUES, [[]], "must be a nested list of numbers"),
        (FIXED_VALUES, [True], "must be a nested list of numbers of the weight's shape"),
    ],
)
def test_another_value_is_refused_with_the_rule_and_the_value(
    kind: Kind, given: Any, words: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        kind(given)
    assert words in str(caught.value)


def test_values_are_shown_as_a_definition_writes_them() -> None:
    values = [True, "half", Extent((1, 7)), [1, (2, 3)], 0.5, H]
    assert [show(value) for value in values] == [
        "true",
        '"half"',
        "1x7",
        "[1, (2, 3)]",
        "0.5",
        "H",
    ]
