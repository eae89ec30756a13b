"""Arithmetic and comparison of compile-time values, sizes such as `3x3` and symbols included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any

from compiler.dims import Dim, SymbolicError
from compiler.domain import Facts
from compiler.domain.suggestions import asserting, suggest
from compiler.ops.arguments import Extent
from compiler.values import POISON, Mistake, Silenced, kind_word
from grammar.source import Span

MOST_BITS = 4096
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """`left operator right` for numbers of at most `MOST_BITS` bits and symbolic sizes.

    Raises `ZeroDivisionError`, `OverflowError`, and `SymbolicError` where there is no closed form.
    """
    result = calculated(operator, left, right)
    if isinstance(result, int) and result.bit_length() > MOST_BITS:
        raise OverflowError(f"this number has more than {MOST_BITS} bits")
    return result


def calculated(operator: str, left: Any, right: Any) -> Any:
    """The result, however large; a power beyond reason is refused before it is tried."""
    symbolic = isinstance(left, Dim) or isinstance(right, Dim)
    if symbolic and (isinstance(left, float) or isinstance(right, float)):
        raise SymbolicError("a symbolic size and a number with a point do not mix")
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":
            return left // right
        case "%":
            return left % right
        case "/":
            if symbolic:
                raise SymbolicError("a symbolic size is divided with `//`, rounding down")
            return left / right
        case _:
            return power(left, right)


def power(left: Any, right: Any) -> Any:
    """`left ** right` within reason: no more than `MOST_BITS` bits."""
    if isinstance(left, Dim) or isinstance(right, Dim):
        if isinstance(right, int) and 0 <= right <= 4:
            result: Any = 1
            for _ in range(right):
                result = result * left
            return result
        raise SymbolicError("a symbolic size takes only the powers 0 to 4")
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        if left.bit_length() * right > MOST_BITS:
            raise OverflowError(f"this power has more than {MOST_BITS} bits")
        return left**right
    result = left**right
    if isinstance(result, complex):
        raise OverflowError("a negative number has no fractional power")
    return result


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
