"""Rows of numbers as Python: what the i-th of them is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import TypeAlias

Number: TypeAlias = "int | float"

DIGITS = ("a", "b", "c", "d", "e")
LARGEST = 1000  # of a fraction's denominator


def formula(values: Sequence[Number], i: str = "i") -> str:
    """The i-th number, from 0, as an expression in `i`; empty where there is no short one.

    `[64, 96, 128]` is `64 + 32 * i`, `[1, 2, 4, 1, 2, 4]` is `2 ** (i % 3)`.
    """
    for shape in (_same, _sum, _power, _fraction, _turns):
        found = shape(values, i)
        if found:
            return found
    return ""


def _same(values: Sequence[Number], i: str) -> str:
    """One number over and over."""
    alike = all(value == values[0] and type(value) is type(values[0]) for value in values)
    return repr(values[0]) if alike else ""


def _whole(values: Sequence[Number]) -> bool:
    return all(type(value) is int for value in values)


def _sum(values: Sequence[Number], i: str) -> str:
    """`64 + 32 * i`; of whole numbers."""
    if not _whole(values) or len(values) < 3:
        return ""
    first, step = values[0], values[1] - values[0]
    if any(value != first + step * place for place, value in enumerate(values)):
        return ""
    term = i if abs(step) == 1 else f"{abs(step)} * {i}"
    if not first:
        return term if step > 0 else f"-{term}"
    if step < 0:
        return f"{first} - {term}"
    if first < 0:
        return f"{term} - {-first}"
    return f"{term} + {first}" if term == i else f"{first} + {term}"


def _power(values: Sequence[Number], i: str) -> str:
    """`64 * 2 ** i` and `512 // 2 ** i`; of whole numbers above 0, three or more."""
    if not _whole(values) or len(values) < 3 or not all(value > 0 for value in values):
        return ""
    first, last = values[0], values[-1]
    for factor in (2, 3, 4):
        if all(value == first * factor**place for place, value in enumerate(values)):
            return f"{factor} ** {i}" if first == 1 else f"{first} * {factor} ** {i}"
        exact = last * factor ** (len(values) - 1) == first
        if exact and all(v == first // factor**place for place, v in enumerate(values)):
            return f"{first} // {factor} ** {i}"
    return ""


def _fraction(values: Sequence[Number], i: str) -> str:
    """`0.1 * (i + 3) / 17`, where each number is that to its last digit."""
    if not all(isinstance(value, float) for value in values) or len(values) < 3:
        return ""
    step = Fraction((values[-1] - values[0]) / (len(values) - 1)).limit_denominator(LARGEST)
    start = round(Fraction(values[0]) / step) if step else -1
    if start < 0:
        return ""
    counted = f"({i} + {start})" if start else i
    rates = (0.1, 0.2, 0.3, 0.5)
    decimal = LARGEST % step.denominator == 0  # `i / 20`, but `0.1 * i / 17`
    for above in (step.numerator, *rates) if decimal else (*rates, step.numerator):
        below = round(Fraction(above) / step)
        if below and all(above * (start + k) / below == v for k, v in enumerate(values)):
            return f"{'' if above == 1 else f'{above} * '}{counted} / {below}"
    return ""


def _turns(values: Sequence[Number], i: str) -> str:
    """A row that comes again and again, or that has each number several times."""
    count = len(values)
    for length in range(2, count // 2 + 1):
        if values[length:] == values[:-length]:
            return formula(values[:length], f"({i} % {length})")
        if count % length == 0 and all(
            value == values[place - place % length] for place, value in enumerate(values)
        ):
            return formula(values[::length], f"({i} // {length})")
    return ""


def listed(values: Sequence[Number]) -> str:
    """Many numbers as a list: as sums along nested ranges, or each as often as it follows itself.

    `[[r - c for c in range(3)] for r in range(2)]` in one row is
    `[a - b for a in range(2) for b in range(3)]`.
    """
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    digits = _digits(whole)
    if digits and len(digits) <= len(DIGITS):
        names = DIGITS[: len(digits)]
        terms = "".join(
            f" {'-' if step < 0 else '+'} {f'{abs(step)} * ' * (abs(step) != 1)}{name}"
            for (step, _), name in zip(digits, names, strict=True)
            if step
        )
        ranges = "".join(
            f" for {name} in range({count})" for (_, count), name in zip(digits, names, strict=True)
        )
        return f"[{whole[0]}{terms}{ranges}]"
    runs = [(value, len([*group])) for value, group in groupby(whole)]
    if 3 * len(runs) < len(whole):
        return " + ".join(f"[{value}] * {count}" for value, count in runs)
    return repr([*values])


def _digits(values: Sequence[Number]) -> list[tuple[Number, int]]:
    """The steps and lengths of nested ranges, the outermost first; empty where there are none."""
    if len(values) == 1:
        return []
    step, count = values[1] - values[0], 2
    while count < len(values) and values[count] - values[count - 1] == step:
        count += 1
    if len(values) % count:
        return []
    first = values[::count]
    if any(value != first[k // count] + step * (k % count) for k, value in enumerate(values)):
        return []
    outer = _digits(first)
    return [*outer, (step, count)] if outer or len(first) == 1 else []
