"""Comparisons of symbolic sizes with zero, in a normal form that reads well."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from math import gcd

from compiler.dims import Dim, Floor, Size, evaluate
from grammar.records import dataclass

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Contradiction(ValueError):
    """A fact that no values of the symbols satisfy together with what is known."""


@dataclass(frozen=True)
class Condition:
    """A comparison of `size` with zero; the relation is `>=`, `==` or `!=`.

    >>> from compiler.dims import symbol
    >>> H = symbol("H")
    >>> print(Condition.of(H * symbol("W"), ">", 8), "|", Condition.of(H % 4, "!=", 2))
    H*W >= 9 | H % 4 != 2
    """

    size: Size
    relation: str

    @staticmethod
    def of(left: Size, relation: str, right: Size) -> Condition:
        """The normal form of a comparison: common factors divided out, a sign chosen."""
        if relation not in COMPARE:
            raise ValueError(f"unknown relation {relation!r}")
        size = right - left if relation in ("<", "<=") else left - right
        if relation in ("<", ">"):
            size = size - 1
        kind = relation if relation in ("==", "!=") else ">="
        if isinstance(size, int):
            return Condition(size, kind)
        common = gcd(*(c for m, c in size.terms if m))
        if kind != ">=" and size.constant % common:
            return Condition(1, kind)
        size = size // common
        if kind != ">=" and isinstance(size, Dim) and size.terms[0][1] < 0:
            size = -size
        return Condition(size, kind)

    def negated(self) -> Condition:
        """The condition that holds exactly where this one does not."""
        if self.relation == ">=":
            return Condition.of(self.size, "<", 0)
        return Condition(self.size, "!=" if self.relation == "==" else "==")

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether it is true at these values."""
        return COMPARE[self.relation](evaluate(self.size, values), 0)

    def __str__(self) -> str:
        if isinstance(self.size, int):
            return f"{self.size} {self.relation} 0"
        return _show_remainder(self.size, self.relation) or _show_sides(self.size, self.relation)


def _show_sides(size: Dim, relation: str) -> str:
    """`size relation 0` with nothing negative on either side, a lone number on the right."""
    left: Size = 0
    right: Size = -size.constant
    for monomial, coefficient in size.terms:
        if monomial and coefficient > 0:
            left = left + Dim(((monomial, coefficient),))
        elif monomial:
            right = right + Dim(((monomial, -coefficient),))
    if isinstance(right, Dim) and right.constant < 0:
        left, right = left - right.constant, right - right.constant
    if isinstance(left, int):
        return f"{right} {FLIPPED[relation]} {left}"
    return f"{left} {relation} {right}"


def _show_remainder(size: Dim, relation: str) -> str | None:
    """`size relation 0` as `H % 4 != 2` when it is such a comparison."""
    floors = [(m[0], c) for m, c in size.terms if len(m) == 1 and isinstance(m[0], Floor)]
    if len(floors) != 1:
        return None
    atom, coefficient = floors[0]
    assert isinstance(atom, Floor)
    sign = -1 if coefficient > 0 else 1
    offset = sign * size - atom.numerator % atom.divisor
    if not isinstance(offset, int) or abs(coefficient) != atom.divisor:
        return None
    inner = str(atom.numerator)
    inner = f"({inner})" if len(atom.numerator.terms) > 1 else inner
    side = relation if sign > 0 else FLIPPED[relation]
    return f"{inner} % {atom.divisor} {side} {-offset}"
