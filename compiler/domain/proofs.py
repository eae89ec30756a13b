"""Proofs by cases: in a residue class of its symbols a size is a polynomial."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, lcm

from compiler.dims import Dim, Floor, Size, substitute, symbol, symbols
from compiler.domain.conditions import Condition
from compiler.domain.progressions import Progression
from grammar.records import dataclass


@dataclass(frozen=True)
class Case:
    """A residue class of each symbol: H = lower + step*t, and `size` written in the counters t."""

    classes: Mapping[str, Progression]
    size: Size

    @staticmethod
    def of(size: Size, classes: Mapping[str, Progression]) -> Case:
        """`size` in the counters of these classes, which keep the names of their symbols."""
        counters = {n: c.step * symbol(n) + c.lower for n, c in classes.items()}
        return Case(classes, substitute(size, counters))

    def bounds(self) -> tuple[float, float]:
        """Numbers that the size never goes below or above."""
        return bounds_of(self.size, {n: c.last for n, c in self.classes.items()})

    def verdict(self, relation: str) -> bool | None:
        """Whether `size relation 0` in the whole class; None when that differs or is open."""
        low, high = Case(self.classes, Condition.of(self.size, relation, 0).size).bounds()
        if relation == ">=":
            return True if low >= 0 else False if high < 0 else None
        equal = True if low == high == 0 else False if low > 0 or high < 0 else None
        return equal if equal is None or relation == "==" else not equal


def bounds_of(size: Size, ends: Mapping[str, int | None]) -> tuple[float, float]:
    """Interval arithmetic, term by term, over counters of 0 to their end."""
    if isinstance(size, int):
        return size, size
    low: float = 0
    high: float = 0
    for monomial, coefficient in size.terms:
        least: float = coefficient
        most: float = coefficient
        for atom in monomial:
            if isinstance(atom, Floor):
                factor = tuple(
                    b // atom.divisor if abs(b) != inf else b
                    for b in bounds_of(atom.numerator, ends)
                )
            else:
                end = ends[atom]
                factor = (0, inf if end is None else end)
            corners = [a * b if a and b else 0 for a in (least, most) for b in factor]
            least, most = min(corners), max(corners)
        low, high = low + least, high + most
    return low, high


def periods_of(size: Size) -> dict[str, int]:
    """For each symbol the M that makes all floors polynomials in t where H = M t + r."""
    found = dict.fromkeys(symbols(size), 1)
    if isinstance(size, Dim):
        for atom in (atom for monomial, _ in size.terms for atom in monomial):
            if isinstance(atom, Floor):
                for name, inner in periods_of(atom.numerator).items():
                    found[name] = lcm(found[name], inner * atom.divisor)
    return found


def rises(size: Size) -> bool:
    """Whether a size over counters from 0 is nondecreasing by its form alone."""
    if isinstance(size, int):
        return True
    for monomial, coefficient in size.terms:
        floors = [atom for atom in monomial if isinstance(atom, Floor)]
        if (monomial and coefficient < 0) or (floors and len(monomial) > 1):
            return False
        if not all(rises(atom.numerator) for atom in floors):
            return False
    return True
