"""Arithmetic of compile-time values, symbolic sizes included."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim, SymbolicError

MOST_BITS = 4096


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
