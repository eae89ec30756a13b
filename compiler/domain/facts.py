"""What a net asserts of its symbols, and what follows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from itertools import product
from math import lcm, prod
from typing import Any

from compiler.dims import Size, divisors, evaluate, substitute, symbol, symbols
from compiler.domain.conditions import COMPARE, Condition, Contradiction
from compiler.domain.progressions import ANY, Progression, points
from compiler.domain.proofs import Case, periods_of, rises
from compiler.domain.rewriting import remainder, restored, solve
from grammar.records import dataclass

LARGEST_SIZE = 1 << 40  # a bound beyond this is not searched for
MOST_CASES = 4096  # residue classes looked at for one question


@dataclass
class Facts:
    """What is known about the symbols of one network, each of which is at least 1.

    `known` holds the values of independent symbols, `equalities` the others in terms of them,
    `kept` every condition that is neither; `answers` are the decisions that these have led to, and
    `findings` what others have worked out of them, since the layers of a net ask the same again
    and again.

    >>> facts, H = Facts(), symbol("H")
    >>> facts.assume(H % 2, "==", 0), facts.equal(2 * (H // 2), H)
    (True, True)
    """

    known: dict[str, Progression] = field(default_factory=dict)
    equalities: dict[str, Size] = field(default_factory=dict)
    kept: list[Condition] = field(default_factory=list)
    answers: dict[tuple[Size, str, Size], bool | None] = field(
        default_factory=dict, repr=False, compare=False
    )
    findings: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

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
        for point in points(self.known, free):
            if all(rule.holds(point) for rule in self.kept):
                yield point | {n: evaluate(size, point) for n, size in fixed.items()}

    # ---- questions

    def simplify(self, size: Size) -> Size:
        """`size` rewritten with the equalities and congruences, floors removed where exact."""
        if isinstance(size, int):
            return size
        size = substitute(size, self.equalities)
        if not divisors(size):
            return size
        periodic = {n: self.known[n] for n in sorted(symbols(size)) if n in self.known}
        periodic = {n: p for n, p in periodic.items() if p.step > 1}
        counters: dict[str, Size] = {n: p.step * symbol(n) + p.residue for n, p in periodic.items()}
        return restored(substitute(size, counters), periodic) if periodic else size

    def decide(self, left: Size, relation: str, right: Size) -> bool | None:
        """Whether the comparison holds for all values of the symbols, or for none; else None."""
        if isinstance(left, int) and isinstance(right, int):
            return COMPARE[relation](left, right)
        asked = (left, relation, right)
        if asked not in self.answers:
            self.answers[asked] = self._decide(self._rewritten(Condition.of(*asked)))
        return self.answers[asked]

    def equal(self, a: Size, b: Size) -> bool:
        """Whether two sizes are proved equal."""
        return a == b or self.decide(a, "==", b) is True

    def undecided(self, left: Size, relation: str, right: Size) -> Condition | None:
        """The comparison in terms of independent symbols when it is open, else None."""
        question = self._rewritten(Condition.of(left, relation, right))
        return question if self._decide(question) is None else None

    # ---- deciding

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
        sample = points(self.known, symbols(question.size), limit=16)
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
        periods = periods_of(size) if split else dict.fromkeys(symbols(size), 1)
        known = {name: self.known.get(name, ANY) for name in sorted(periods)}
        steps = {name: lcm(values.step, periods[name]) for name, values in known.items()}
        if prod(steps[name] // values.step for name, values in known.items()) > MOST_CASES:
            return
        for chosen in product(*(values.classes(steps[name]) for name, values in known.items())):
            yield Case.of(size, dict(zip(known, chosen, strict=True)))

    # ---- learning

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
        if taught:
            self.answers.clear()
            self.findings.clear()
        return taught

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
        elif question.relation == "==" and (solved := solve(question.size)):
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
        left = remainder(name, question.size) if question.relation == "==" else None
        if left is not None:
            self._set(name, self.known.get(name, ANY).congruent(*left))
            return True
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
            if rises(Case.of(sign * size, {name: values}).size) or self._verdict(growth):
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
