"""What is known about the symbols of a net, proofs from it, and the net's valid domain.

A question over symbolic sizes is settled by cases. Let M be a common multiple of the floors'
divisors; writing H = M t + r for each residue r turns every floor into a polynomial in t (the
quasi-polynomials of Stanley, Enumerative Combinatorics I, section 4.4). With H measured from its
lower bound, t runs from 0 up, and a polynomial is bounded term by term. What is proved holds for
all values of the symbols; what is not proved stays open.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count, islice, product, takewhile
from math import gcd, inf, lcm, prod

from compiler.dims import (
    Dim,
    Floor,
    Size,
    divisors,
    evaluate,
    substitute,
    symbol,
    symbols,
)

MOST_CASES = 4096  # residue classes looked at for one question
MOST_POINTS = 2048  # values tried in a search by evaluation
LARGEST_SIZE = 1 << 40  # a bound beyond this is not searched for

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Contradiction(ValueError):
    """A fact that no values of the symbols satisfy together with what is known."""


# --------------------------------------------------------------------------- conditions


@dataclass(frozen=True)
class Condition:
    """A comparison of `size` with zero; the relation is `>=`, `==` or `!=`.

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


# --------------------------------------------------------------------------- values of one symbol


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
        step = lcm(self.step, modulus)
        for lower in range(self.lower, self.lower + step, self.step):
            if lower % modulus == residue:
                return self._make(lower, self.upper, step)
        raise Contradiction("no value is left")

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


def _points(
    known: Mapping[str, Progression], names: Iterable[str], limit: int = MOST_POINTS
) -> Iterator[dict[str, int]]:
    """Values of the symbols, smallest first; beyond `limit`, all symbols grow together."""
    ranges = {name: known.get(name, ANY) for name in sorted(names)}
    ends = [r.last for r in ranges.values()]
    furthest = inf if None in ends else sum(end for end in ends if end is not None)

    def grid() -> Iterator[tuple[int, ...]]:
        for total in takewhile(lambda total: total <= furthest, count()):
            yield from _compositions(len(ranges), total)

    def value(chosen: Progression, index: int) -> int:
        end = index if chosen.last is None else min(index, chosen.last)
        return chosen.lower + end * chosen.step

    for steps in islice(grid(), limit):
        inside = all(end is None or i <= end for i, end in zip(steps, ends, strict=True))
        if inside:
            yield {n: value(r, i) for (n, r), i in zip(ranges.items(), steps, strict=True)}
    for power in range(40):
        yield {n: value(r, (1 << power) // r.step) for n, r in ranges.items()}


def _compositions(length: int, total: int) -> Iterator[tuple[int, ...]]:
    """The tuples of `length` counts that sum to `total`."""
    if length == 0:
        if total == 0:
            yield ()
        return
    if length == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(length - 1, total - first):
            yield (first, *rest)


# --------------------------------------------------------------------------- proofs


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
        return _bounds(self.size, {n: c.last for n, c in self.classes.items()})

    def verdict(self, relation: str) -> bool | None:
        """Whether `size relation 0` in the whole class; None when that differs or is open."""
        low, high = Case(self.classes, Condition.of(self.size, relation, 0).size).bounds()
        if relation == ">=":
            return True if low >= 0 else False if high < 0 else None
        equal = True if low == high == 0 else False if low > 0 or high < 0 else None
        return equal if equal is None or relation == "==" else not equal


def _bounds(size: Size, ends: Mapping[str, int | None]) -> tuple[float, float]:
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
                    b // atom.divisor if abs(b) != inf else b for b in _bounds(atom.numerator, ends)
                )
            else:
                end = ends[atom]
                factor = (0, inf if end is None else end)
            corners = [a * b if a and b else 0 for a in (least, most) for b in factor]
            least, most = min(corners), max(corners)
        low, high = low + least, high + most
    return low, high


def _periods(size: Size) -> dict[str, int]:
    """For each symbol the M that makes all floors polynomials in t where H = M t + r."""
    found = dict.fromkeys(symbols(size), 1)
    if isinstance(size, Dim):
        for atom in (atom for monomial, _ in size.terms for atom in monomial):
            if isinstance(atom, Floor):
                for name, inner in _periods(atom.numerator).items():
                    found[name] = lcm(found[name], inner * atom.divisor)
    return found


def _rises(size: Size) -> bool:
    """Whether a size over counters from 0 is nondecreasing by its form alone."""
    if isinstance(size, int):
        return True
    for monomial, coefficient in size.terms:
        floors = [atom for atom in monomial if isinstance(atom, Floor)]
        if (monomial and coefficient < 0) or (floors and len(monomial) > 1):
            return False
        if not all(_rises(atom.numerator) for atom in floors):
            return False
    return True


# --------------------------------------------------------------------------- facts


@dataclass
class Facts:
    """What is known about the symbols of one network while it is elaborated.

    A symbol is at least 1. `known` holds the values of independent symbols, `equalities` the
    others in terms of them, `kept` every condition that is neither.

    >>> facts, H = Facts(), symbol("H")
    >>> facts.suggest_equal(2 * (H // 2), H)
    'assert H % 2 == 0'
    >>> facts.assume(H % 2, "==", 0), facts.equal(2 * (H // 2), H)
    (True, True)
    """

    known: dict[str, Progression] = field(default_factory=dict)
    equalities: dict[str, Size] = field(default_factory=dict)
    kept: list[Condition] = field(default_factory=list)

    def copy(self) -> Facts:
        """The same facts, to be added to apart."""
        return Facts(dict(self.known), dict(self.equalities), list(self.kept))

    def assume(self, left: Size, relation: str, right: Size) -> bool:
        """Learn `left relation right`; False when it was known. Raises `Contradiction`."""
        question = Condition.of(left, relation, right)
        trial = self.copy()
        try:
            taught = trial._learn(question)
        except Contradiction:
            plain = isinstance(question.size, int)
            asked = f"{left} {relation} {right}" if plain else str(question)
            names = sorted(symbols(question.size))
            defaults = {f"{name} >= 1" for name in names}
            lines = self.lines(names)
            against = [line for line in lines if line not in defaults] or lines
            reason = f"contradicts {', '.join(against)}" if against else "is never true"
            raise Contradiction(f"{asked} {reason}") from None
        self.known, self.equalities, self.kept = trial.known, trial.equalities, trial.kept
        return taught

    def lines(self, names: Iterable[str]) -> list[str]:
        """Everything known about these symbols, in their order when they have one."""
        ordered = list(names) if isinstance(names, Sequence) else sorted(names)
        return [text for text, _ in self.checks(ordered)]

    def checks(self, names: Sequence[str]) -> list[tuple[str, Condition]]:
        """The conditions on these symbols, each with its text."""
        found: list[tuple[str, Condition]] = []
        for name in names:
            if name in self.equalities:
                value = self.equalities[name]
                found.append((f"{name} == {value}", Condition.of(symbol(name), "==", value)))
            else:
                rules = self.known.get(name, ANY).conditions(name)
                found.extend((str(rule), rule) for rule in rules)
        related = set(names).union(*(symbols(self.equalities.get(n, 0)) for n in names))
        found.extend((str(rule), rule) for rule in self.kept if symbols(rule.size) & related)
        return found

    def values(self, names: Iterable[str]) -> Iterator[dict[str, int]]:
        """Values of these symbols (and others) that satisfy every fact, small ones first."""
        wanted = set(names)
        fixed = {n: self.equalities[n] for n in sorted(wanted & self.equalities.keys())}
        sizes = [*fixed.values(), *(rule.size for rule in self.kept)]
        free = (wanted - fixed.keys()).union(*map(symbols, sizes))
        for point in _points(self.known, free):
            if all(rule.holds(point) for rule in self.kept):
                yield point | {n: evaluate(size, point) for n, size in fixed.items()}

    # ----------------------------------------------------------------------- questions

    def simplify(self, size: Size) -> Size:
        """`size` rewritten with the equalities and congruences, floors removed where exact."""
        size = substitute(size, self.equalities)
        if not divisors(size):
            return size
        periodic = {n: self.known[n] for n in sorted(symbols(size)) if n in self.known}
        periodic = {n: p for n, p in periodic.items() if p.step > 1}
        counters: dict[str, Size] = {n: p.step * symbol(n) + p.residue for n, p in periodic.items()}
        return _restored(substitute(size, counters), periodic) if periodic else size

    def decide(self, left: Size, relation: str, right: Size) -> bool | None:
        """Whether the comparison holds for all values of the symbols, or for none; else None."""
        return self._decide(self._rewritten(Condition.of(left, relation, right)))

    def equal(self, a: Size, b: Size) -> bool:
        """Whether two sizes are proved equal."""
        return a == b or self.decide(a, "==", b) is True

    def counterexample(self, a: Size, b: Size) -> dict[str, int] | None:
        """Small values of the symbols at which two sizes differ; None when none was found."""
        names = symbols(a) | symbols(b)
        differ = Condition.of(a, "!=", b)
        found = next((point for point in self.values(names) if differ.holds(point)), None)
        return None if found is None else {name: found[name] for name in sorted(names)}

    def suggest_equal(self, a: Size, b: Size) -> str | None:
        """The smallest assertion that would prove two sizes equal; None when none is found."""
        question = self._rewritten(Condition.of(a, "==", b))
        if self._decide(question) is not None:
            return None
        for facts in self._candidates(question.size):
            trial = self.copy()
            try:
                for left, right in facts:
                    trial.assume(left, "==", right)
            except Contradiction:
                continue
            if trial.equal(a, b):
                said = (Condition.of(left, "==", right) for left, right in facts)
                return "assert " + " and ".join(map(str, said))
        return None

    def suggest(self, left: Size, relation: str, right: Size) -> str | None:
        """An assertion that would decide an open comparison; None when it is decided."""
        question = self._rewritten(Condition.of(left, relation, right))
        if self._decide(question) is not None:
            return None
        spelled_out = f"assert {left} {relation} {right}"
        if question.relation == "==":
            return self.suggest_equal(left, right) or spelled_out
        names = symbols(question.size)
        if len(names) > 1:
            return spelled_out
        trial = self.copy()
        try:
            trial._learn(question)
        except Contradiction:
            return None
        before = self.lines(names)
        new = [line for line in trial.lines(names) if line not in before]
        periodic = [line for line in new if "%" in line]
        return "assert " + " and ".join(periodic or new) if new else spelled_out

    def _candidates(self, size: Size) -> Iterator[list[tuple[Size, Size]]]:
        """Equalities that might make `size` zero, the simplest first."""
        periods = dict(sorted(_periods(size).items()))
        moduli = [[m for m in range(1, p + 1) if p % m == 0] for p in periods.values()]
        chosen_moduli = sorted(
            islice(product(*moduli), MOST_CASES),
            key=lambda chosen: (sum(m > 1 for m in chosen), prod(chosen)),
        )
        zero = [
            [(n, m, 0) for n, m in zip(periods, c, strict=True) if m > 1] for c in chosen_moduli
        ]
        other = [
            [(name, m, r)]
            for name, choices in zip(periods, moduli, strict=True)
            for m in choices
            for r in range(1, m)
        ]
        yield from self._congruences(size, (c for c in zero if len(c) == 1))
        names = list(periods)
        for first, second in combinations(names, 2):
            yield [(symbol(first), symbol(second))]
        yield from self._congruences(size, (c for c in zero if len(c) > 1))
        yield from self._congruences(size, other)
        solved = _solved(size)
        if len(names) == 1:
            root = next((p for p in self.values(names) if evaluate(size, p) == 0), None)
            solved = (names[0], root[names[0]]) if root else None
        if solved:
            yield [(symbol(solved[0]), solved[1])]

    def _congruences(
        self, size: Size, choices: Iterable[list[tuple[str, int, int]]]
    ) -> Iterator[list[tuple[Size, Size]]]:
        """Those choices of (symbol, modulus, residue) under which a few values give zero."""
        for chosen in choices:
            known = dict(self.known)
            try:
                for name, modulus, residue in chosen:
                    known[name] = known.get(name, ANY).congruent(modulus, residue)
            except Contradiction:
                continue
            points = _points(known, symbols(size), limit=8)
            if all(evaluate(size, point) == 0 for point in points):
                yield [(symbol(n) % m, r) for n, m, r in chosen]

    # ----------------------------------------------------------------------- deciding

    def _rewritten(self, question: Condition) -> Condition:
        return Condition.of(self.simplify(question.size), question.relation, 0)

    def _decide(self, question: Condition) -> bool | None:
        """The verdict from the values of the symbols, else from one of the kept conditions."""
        verdict = self._verdict(question)
        if verdict is not None:
            return verdict
        opposite = question.negated()
        for rule in self.kept:
            if self._implies(rule, question):
                return True
            if self._implies(rule, opposite):
                return False
        return None

    def _implies(self, rule: Condition, question: Condition) -> bool:
        """Whether a kept condition proves another: `H >= W + 1` proves `H >= W`."""
        if rule == question:
            return True
        if rule.relation == "!=" or question.relation == "==":
            return False
        if question.relation == "!=":
            sides = (Condition.of(question.size, side, 0) for side in "<>")
            return any(self._implies(rule, side) for side in sides)
        slack = [question.size - rule.size]
        if rule.relation == "==":
            slack.append(question.size + rule.size)
        return any(self._verdict(Condition.of(size, ">=", 0)) is True for size in slack)

    def _verdict(self, question: Condition) -> bool | None:
        """The verdict from the values of each symbol: by samples (open), else by proof."""
        sample = _points(self.known, symbols(question.size), limit=16)
        if len({question.holds(point) for point in sample}) == 2:
            return None
        for split in (False, True):
            verdicts: set[bool | None] = set()
            for case in self._cases(question.size, split):
                verdicts.add(case.verdict(question.relation))
                if None in verdicts or len(verdicts) == 2:
                    break
            if len(verdicts) == 1 and None not in verdicts:
                return verdicts.pop()
        return None

    def _cases(self, size: Size, split: bool) -> Iterator[Case]:
        """The residue classes that together make up the domain; none when there are too many."""
        periods = _periods(size) if split else dict.fromkeys(symbols(size), 1)
        known = {name: self.known.get(name, ANY) for name in sorted(periods)}
        steps = {name: lcm(values.step, periods[name]) for name, values in known.items()}
        if prod(steps[name] // values.step for name, values in known.items()) > MOST_CASES:
            return
        for chosen in product(*(values.classes(steps[name]) for name, values in known.items())):
            yield Case.of(size, dict(zip(known, chosen, strict=True)))

    # ----------------------------------------------------------------------- learning

    def _learn(self, question: Condition) -> bool:
        question = self._rewritten(question)
        verdict = self._decide(question)
        if verdict is not None:
            if verdict is False:
                raise Contradiction(f"{question} is never true")
            return False
        names = sorted(symbols(question.size))
        one = names[0] if len(names) == 1 else None
        if one and (self._learn_class(one, question) or self._learn_bound(one, question)):
            self._review()
        elif question.relation == "==" and (solved := _solved(question.size)):
            self._equate(*solved)
            self._review()
        else:
            self.kept.append(question)
        return True

    def _review(self) -> None:
        """Look at the kept conditions again in the light of what was learned."""
        pending, self.kept = self.kept, []
        for rule in pending:
            self._learn(rule)

    def _learn_class(self, name: str, question: Condition) -> bool:
        """Learn a condition that holds for exactly one remainder of the symbol."""
        cases = list(self._cases(question.size, split=True))
        verdicts = [case.verdict(question.relation) for case in cases]
        right = [case.classes[name] for case, held in zip(cases, verdicts, strict=True) if held]
        if None in verdicts or not right or right[0].step % len(right):
            return False
        modulus = right[0].step // len(right)
        residue = right[0].lower % modulus
        for case, held in zip(cases, verdicts, strict=True):
            if (case.classes[name].lower % modulus == residue) != held:
                return False
        self._set(name, self.known.get(name, ANY).congruent(modulus, residue))
        return True

    def _learn_bound(self, name: str, question: Condition) -> bool:
        """Learn a condition on a size that only rises, or only falls, with the symbol."""
        if question.relation == "!=":
            return False
        sign = self._direction(name, question.size)
        if sign == 0:
            return False
        values = self.known.get(name, ANY)
        if sign > 0 or question.relation == "==":
            first = self._least(name, sign * question.size)
            if first is None:
                return False
            values = values.at_least(first)
        if sign < 0 or question.relation == "==":
            beyond = self._least(name, sign * question.size - 1)
            if beyond is None:
                return False
            values = values.at_most(beyond - 1)
        self._set(name, values)
        return True

    def _direction(self, name: str, size: Size) -> int:
        """1 for a size that never falls as the symbol grows, -1 for one that never rises, or 0."""
        values = self.known.get(name, ANY)
        further = substitute(size, {name: symbol(name) + values.step})
        for sign in (1, -1):
            growth = Condition.of(sign * (further - size), ">=", 0)
            if _rises(Case.of(sign * size, {name: values}).size) or self._verdict(growth):
                return sign
        return 0

    def _least(self, name: str, size: Size) -> int | None:
        """The first value of the symbol at which a nondecreasing size is 0 or more.

        One step past the last value when there is none, None when it may lie beyond all reason.
        """
        values = self.known.get(name, ANY)

        def reached(index: int) -> bool:
            return evaluate(size, {name: values.lower + index * values.step}) >= 0

        end = LARGEST_SIZE if values.last is None else values.last
        if not reached(end):
            return None if values.last is None else values.lower + (end + 1) * values.step
        index = bisect_left(range(end + 1), True, key=reached)
        return values.lower + index * values.step

    def _set(self, name: str, values: Progression) -> None:
        self.known[name] = values
        if values.last == 0:
            self._equate(name, values.lower)

    def _equate(self, name: str, value: Size) -> None:
        """Replace a symbol by `value`, which takes over what was known about the symbol."""
        values = self.known.pop(name, ANY)
        self.equalities = {
            n: substitute(size, {name: value}) for n, size in self.equalities.items()
        }
        self.equalities[name] = value
        for rule in values.conditions(name):
            self._learn(rule)


def _solved(size: Size) -> tuple[str, Size] | None:
    """A symbol and its value where `size` is 0, when a symbol stands by itself in it."""
    if isinstance(size, int):
        return None
    for monomial, coefficient in reversed(size.terms):
        if len(monomial) == 1 and isinstance(monomial[0], str) and abs(coefficient) == 1:
            rest = size - coefficient * symbol(monomial[0])
            if monomial[0] not in symbols(rest):
                return monomial[0], -coefficient * rest
    return None


def _restored(size: Size, periodic: Mapping[str, Progression]) -> Size:
    """A size in counters t, H = m t + r, written in the symbols again.

    A factor g of m goes with each counter: g t = floor(H s/m) - floor(r s/m) for s = m/g, which
    is H - r for g = m. Counters of one term take the same s where they can.
    """
    if isinstance(size, int):
        return size
    result: Size = 0
    for monomial, coefficient in size.terms:
        term: Size = 1
        counters: list[Progression] = []
        names: list[str] = []
        for atom in monomial:
            if isinstance(atom, Floor):
                term = term * (_restored(atom.numerator, periodic) // atom.divisor)
            elif atom in periodic:
                counters.append(periodic[atom])
                names.append(atom)
            else:
                term = term * symbol(atom)
        shared = _shared_divisor([c.step for c in counters], coefficient)
        for name, counter in zip(names, counters, strict=True):
            factor = counter.step // shared if shared else gcd(coefficient, counter.step)
            coefficient //= factor
            divisor = counter.step // factor
            term = term * (symbol(name) // divisor - counter.residue // divisor)
        result = result + term * coefficient
    return result


def _shared_divisor(moduli: Sequence[int], coefficient: int) -> int | None:
    """The least s for which the product of all m/s divides the coefficient."""
    common = gcd(*moduli)
    for divisor in range(1, common + 1):
        if common % divisor == 0 and coefficient % prod(m // divisor for m in moduli) == 0:
            return divisor
    return None


# --------------------------------------------------------------------------- the valid domain


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
        raise Contradiction("no sizes satisfy " + ", ".join(self.lines()))

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
    for size, least in conditions:
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
