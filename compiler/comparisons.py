"""Comparison of compile-time values, sizes such as `3x3` and symbols included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.domain.suggestions import asserting, suggest
from compiler.ops.arguments import Extent
from compiler.values import POISON, Mistake, Silenced, kind_word
from grammar.source import Span

ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compare(facts: Facts, left: Any, operator: str, right: Any, span: Span) -> bool:
    """One comparison; of symbolic sizes only what is proved counts (E208 otherwise)."""
    if left is POISON or right is POISON:
        raise Silenced
    if operator in ("in", "not in"):
        return contains(left, operator, right, span)
    numeric = all(
        isinstance(v, int | float | Dim) and not isinstance(v, bool) for v in (left, right)
    )
    if numeric and (isinstance(left, Dim) or isinstance(right, Dim)):
        left, right = whole_side(left, span), whole_side(right, span)
        decided = facts.decide(left, operator, right)
        if decided is None:
            raise Mistake(
                "E208",
                f"whether {span.text} depends on the symbolic sizes",
                span,
                label=f"nothing decides {left} {operator} {right}",
                help=asserting(suggest(facts, left, operator, right), "decide"),
            )
        return decided
    if operator in ("==", "!="):
        return same(left, right) is (operator == "==")
    if not numeric and not (isinstance(left, Extent) and isinstance(right, Extent | int)):
        raise Mistake(
            "E205",
            f"`{operator}` orders numbers, not {kind_word(left)} and {kind_word(right)}",
            span,
        )
    lefts, rights = aligned(left, right)
    order = ORDERS[operator]
    return all(order(a, b) for a, b in zip(lefts, rights, strict=False))


def whole_side(value: int | float | Dim, span: Span) -> int | Dim:
    """A side of a comparison with a symbolic size: `5e5` is the whole number it looks like."""
    if isinstance(value, float):
        if not value.is_integer():
            raise Mistake("E205", "a symbolic size and a number with a point do not mix", span)
        return int(value)
    return value


def aligned(left: Any, right: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Two sides as sequences of equal length; a number stands for each axis of a size."""
    lefts = left if isinstance(left, tuple) else (left,)
    rights = right if isinstance(right, tuple) else (right,)
    if len(lefts) == 1 and not isinstance(left, tuple):
        lefts = lefts * len(rights)
    if len(rights) == 1 and not isinstance(right, tuple):
        rights = rights * len(lefts)
    return lefts, rights


def same(left: Any, right: Any) -> bool:
    """Equality of values: a size equals a number when each of its extents does."""
    if isinstance(left, Extent) or isinstance(right, Extent):
        lefts, rights = aligned(left, right)
        return len(lefts) == len(rights) and all(a == b for a, b in zip(lefts, rights, strict=True))
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def contains(item: Any, operator: str, values: Any, span: Span) -> bool:
    """`c in widths`, `c not in widths`, and of a string in a string."""
    if item is POISON or values is POISON:
        raise Silenced
    if isinstance(values, str) and isinstance(item, str):
        found = item in values
    elif isinstance(values, list | tuple):
        found = any(same(item, value) for value in values)
    else:
        raise Mistake("E205", f"`{operator}` looks into a list, not {kind_word(values)}", span)
    return found is (operator == "in")
