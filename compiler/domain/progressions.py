"""The values of one symbol as an arithmetic progression, and points of several symbols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count, islice, takewhile
from math import gcd, inf, lcm

from compiler.dims import symbol
from compiler.domain.conditions import Condition, Contradiction
from grammar.records import dataclass

MOST_POINTS = 2048  # values tried in a search by evaluation


@dataclass(frozen=True)
class Progression:
    """The values of one symbol: lower, lower + step, … up to `upper` (None: without end)."""

    lower: int = 1
    upper: int | None = None
    step: int = 1

    @property
    def residue(self) -> int:
        """The remainder of every value by `step`."""
        return self.lower % self.step

    @property
    def last(self) -> int | None:
        """The index of the last value, counted from 0."""
        return None if self.upper is None else (self.upper - self.lower) // self.step

    def __contains__(self, value: int) -> bool:
        below = self.upper is None or value <= self.upper
        return self.lower <= value and below and value % self.step == self.residue

    def at_least(self, bound: int) -> Progression:
        """The values that are `bound` or more."""
        skipped = max(0, -(-(bound - self.lower) // self.step))
        return self._make(self.lower + skipped * self.step, self.upper, self.step)

    def at_most(self, bound: int) -> Progression:
        """The values that are `bound` or less."""
        upper = bound if self.upper is None else min(bound, self.upper)
        return self._make(self.lower, upper, self.step)

    def congruent(self, modulus: int, residue: int) -> Progression:
        """The values with this remainder, by the Chinese remainder theorem."""
        common = gcd(self.step, modulus)
        steps, rest = divmod(residue - self.lower, common)
        if rest:
            raise Contradiction("no value is left")
        steps = steps * pow(self.step // common, -1, modulus // common) % (modulus // common)
        return self._make(self.lower + steps * self.step, self.upper, lcm(self.step, modulus))

    @staticmethod
    def _make(lower: int, upper: int | None, step: int) -> Progression:
        if upper is not None:
            upper -= (upper - lower) % step
            if upper < lower:
                raise Contradiction("no value is left")
        return Progression(lower, upper, step)

    def classes(self, step: int) -> list[Progression]:
        """Its parts that have the coarser `step`, a multiple of its own."""
        return [
            self._make(lower, self.upper, step)
            for lower in range(self.lower, self.lower + step, self.step)
            if self.upper is None or lower <= self.upper
        ]

    def conditions(self, name: str) -> list[Condition]:
        """What it says about the symbol: `H >= 64`, `H <= 224`, `H % 32 == 0`."""
        found = [Condition.of(symbol(name), ">=", self.lower)]
        if self.upper is not None:
            found.append(Condition.of(symbol(name), "<=", self.upper))
        if self.step > 1:
            found.append(Condition.of(symbol(name) % self.step, "==", self.residue))
        return found


ANY = Progression()


def points(
    known: Mapping[str, Progression], names: Iterable[str], limit: int = MOST_POINTS
) -> Iterator[dict[str, int]]:
    """Values of the symbols, smallest first; beyond `limit`, all symbols grow together."""
    ranges = {name: known.get(name, ANY) for name in sorted(names)}
    ends = [r.last for r in ranges.values()]
    furthest = inf if None in ends else sum(end for end in ends if end is not None)

    def grid() -> Iterator[tuple[int, ...]]:
        for total in takewhile(lambda total: total <= furthest, count()):
            yield from compositions(len(ranges), total)

    def value(chosen: Progression, index: int) -> int:
        end = index if chosen.last is None else min(index, chosen.last)
        return chosen.lower + end * chosen.step

    for steps in islice(grid(), limit):
        inside = all(end is None or i <= end for i, end in zip(steps, ends, strict=True))
        if inside:
            yield {n: value(r, i) for (n, r), i in zip(ranges.items(), steps, strict=True)}
    for power in range(40):
        yield {n: value(r, (1 << power) // r.step) for n, r in ranges.items()}


def compositions(length: int, total: int) -> Iterator[tuple[int, ...]]:
    """The tuples of `length` counts that sum to `total`."""
    if length == 0:
        if total == 0:
            yield ()
        return
    if length == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(length - 1, total - first):
            yield (first, *rest)
