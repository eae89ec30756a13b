"""The valid domain of a net: the input sizes for which every layer fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from math import inf

from compiler.dims import Size, symbol, symbols
from compiler.domain.conditions import Contradiction
from compiler.domain.facts import Facts
from compiler.domain.progressions import ANY, MOST_POINTS
from compiler.domain.proofs import Case
from grammar.records import dataclass


@dataclass(frozen=True)
class Domain:
    """The values of the symbols for which every layer of a net fits.

    `lower`, `upper` and `congruence` (modulus, residue) are by symbol; `conditions` are those over
    several symbols, or of no such form, as text.
    """

    names: tuple[str, ...]
    lower: dict[str, int]
    upper: dict[str, int]
    congruence: dict[str, tuple[int, int]]
    conditions: tuple[str, ...]
    facts: Facts = field(repr=False, compare=False)

    def lines(self) -> list[str]:
        """The domain as a user reads it: `["H >= 64", "H % 32 == 0", "W == H"]`."""
        return self.facts.lines(self.names)

    def smallest(self) -> dict[str, int]:
        """The smallest valid values. Raises `Contradiction` when none were found."""
        for point in self.facts.values(self.names):
            return {name: point[name] for name in self.names}
        raise Contradiction("no sizes were found that satisfy " + ", ".join(self.lines()))

    def contains(self, values: Mapping[str, int]) -> list[str]:
        """The lines that these values violate; none when they are valid."""
        return [text for text, rule in self.facts.checks(self.names) if not rule.holds(values)]


def valid_domain(
    facts: Facts, conditions: Sequence[tuple[Size, int]], names: Sequence[str]
) -> Domain:
    """The domain where all facts and conditions (size, least value of it) hold.

    Raises `Contradiction`, naming the conditions, when nothing is in it.

    >>> H = symbol("H")
    >>> valid_domain(Facts(), [((H - 1) // 2 + 1, 3), (H + 2, 3)], ["H", "W"]).lines()
    ['H >= 5', 'W >= 1']
    """
    found = facts.copy()
    for size, least in dict.fromkeys(conditions):
        found.assume(size, ">=", least)
    for name in names:
        _raise_lower(found, name)
    values = {n: found.known.get(n, ANY) for n in names if n not in found.equalities}
    bounds = {
        name: Case.of(size, {n: found.known.get(n, ANY) for n in symbols(size)}).bounds()
        for name, size in ((n, found.equalities.get(n, symbol(n))) for n in names)
    }
    domain = Domain(
        names=tuple(names),
        lower={n: max(1, int(low)) if low > -inf else 1 for n, (low, _) in bounds.items()},
        upper={n: int(high) for n, (_, high) in bounds.items() if high < inf},
        congruence={n: (v.step, v.residue) for n, v in values.items() if v.step > 1},
        conditions=tuple(map(str, found.kept)),
        facts=found,
    )
    domain.smallest()
    return domain


def _raise_lower(facts: Facts, name: str) -> None:
    """Begin a symbol at its first value that satisfies its own kept conditions, by a scan."""
    rules = [rule for rule in facts.kept if symbols(rule.size) == {name}]
    if not rules:
        return
    values = facts.known.get(name, ANY)
    scanned = (values.lower + i * values.step for i in range(MOST_POINTS))
    valid = (n for n in scanned if n in values and all(r.holds({name: n}) for r in rules))
    first = next(valid, None)
    if first is not None and first > values.lower:
        facts.assume(symbol(name), ">=", first)
