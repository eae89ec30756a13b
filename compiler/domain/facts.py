"""What a net asserts of its symbols, learned one assertion after another."""

from __future__ import annotations

from bisect import bisect_left

from compiler.dims import Size, evaluate, substitute, symbol, symbols
from compiler.domain.conditions import Condition, Contradiction
from compiler.domain.knowledge import Knowledge
from compiler.domain.progressions import ANY, Progression
from compiler.domain.proofs import Case, rises
from compiler.domain.rewriting import remainder, solve
from grammar.records import dataclass

LARGEST_SIZE = 1 << 40  # a bound beyond this is not searched for


@dataclass
class Facts(Knowledge):
    """What is known about the symbols of one network while it is elaborated.

    >>> facts, H = Facts(), symbol("H")
    >>> facts.assume(H % 2, "==", 0), facts.equal(2 * (H // 2), H)
    (True, True)
    """

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
