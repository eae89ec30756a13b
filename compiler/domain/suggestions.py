"""Assertions that would prove what is open, and values that show what does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice, product
from math import prod

from compiler.dims import Size, evaluate, symbol, symbols
from compiler.domain.conditions import Condition, Contradiction
from compiler.domain.facts import MOST_CASES, Facts
from compiler.domain.progressions import ANY, points
from compiler.domain.proofs import periods_of
from compiler.domain.rewriting import solve
from grammar.diagnostics import Assertion, Remedy

Equality = tuple[Size, Size]


def help_unequal(
    facts: Facts, pairs: Sequence[Equality], conditions: Sequence[tuple[Size, int]] = ()
) -> Remedy | None:
    """The remedy for sizes that are not proved equal: what would prove it, or refutes it.

    `conditions` are what the layers ask of the symbols: pairs (size, least value).
    """
    hint = suggest_equal(facts, *pairs)
    if hint:
        return asserting(hint, "prove")
    counters = (counterexample(facts, a, b, conditions) for a, b in pairs)
    counter = next((found for found in counters if found), None)
    if counter:
        where = ", ".join(f"{name} = {v}" for name, v in counter.items())
        return Remedy(f"they differ at {where}")
    return None


def asserting(assertion: str | None, verb: str, otherwise: str | None = None) -> Remedy | None:
    """The remedy that an assertion is, which would `prove` or `decide` it, or else a sentence."""
    if not assertion:
        return Remedy(otherwise) if otherwise else None
    text = f"`{assertion}` would {verb} it"
    return Remedy(f"{text}, or {otherwise}" if otherwise else text, (Assertion(assertion),))


def counterexample(
    facts: Facts, a: Size, b: Size, conditions: Sequence[tuple[Size, int]] = ()
) -> dict[str, int] | None:
    """Small values of the symbols at which two sizes differ; None when none was found."""
    names = symbols(a) | symbols(b)
    differ = Condition.of(a, "!=", b)
    known = [(size, least) for size, least in conditions if symbols(size) <= names]
    found = next(
        (
            point
            for point in facts.values(names)
            if differ.holds(point) and all(evaluate(size, point) >= least for size, least in known)
        ),
        None,
    )
    return None if found is None else {name: found[name] for name in sorted(names)}


def suggest_equal(facts: Facts, *pairs: Equality) -> str | None:
    """The smallest assertion that would prove pairs of sizes equal; None when none is found.

    >>> H = symbol("H")
    >>> suggest_equal(Facts(), (2 * (H // 2), H))
    'assert H % 2 == 0'
    """
    trial, needed = facts.copy(), list[Equality]()
    for a, b in pairs:
        if trial.equal(a, b):
            continue
        equalities = equalities_for(trial, a, b)
        if not equalities:
            return None
        for left, right in equalities:
            trial.assume(left, "==", right)
        needed += equalities
    if not needed:
        return None
    return "assert " + " and ".join(str(Condition.of(a, "==", b)) for a, b in needed)


def equalities_for(facts: Facts, a: Size, b: Size) -> list[Equality] | None:
    """The fewest equalities that would prove two sizes equal; None when none are found."""
    question = facts.undecided(a, "==", b)
    if question is None:
        return None
    for equalities in candidates(facts, question.size):
        trial = facts.copy()
        try:
            for left, right in equalities:
                trial.assume(left, "==", right)
        except Contradiction:
            continue
        if trial.equal(a, b):
            return equalities
    return None


def suggest(facts: Facts, left: Size, relation: str, right: Size) -> str | None:
    """An assertion that would decide an open comparison; None when it is decided."""
    question = facts.undecided(left, relation, right)
    if question is None:
        return None
    spelled_out = f"assert {left} {relation} {right}"
    if question.relation == "==":
        return suggest_equal(facts, (left, right)) or spelled_out
    names = symbols(question.size)
    if len(names) > 1:
        return spelled_out
    trial = facts.copy()
    try:
        trial.assume(left, relation, right)
    except Contradiction:
        return None
    before = facts.lines(names)
    new = [line for line in trial.lines(names) if line not in before]
    periodic = [line for line in new if "%" in line]
    return "assert " + " and ".join(periodic or new) if new else spelled_out


def candidates(facts: Facts, size: Size) -> Iterator[list[Equality]]:
    """Equalities that might make `size` zero, the simplest first."""
    periods = dict(sorted(periods_of(size).items()))
    names = list(periods)
    moduli = [moduli_of(period) for period in periods.values()]
    chosen_moduli = sorted(
        islice(product(*moduli), MOST_CASES),
        key=lambda chosen: (sum(m > 1 for m in chosen), prod(chosen)),
    )
    zero = [[(n, m, 0) for n, m in zip(periods, c, strict=True) if m > 1] for c in chosen_moduli]
    other = (
        [(name, m, r)]
        for name, choices in zip(periods, moduli, strict=True)
        for m in choices
        for r in range(1, min(m, MOST_CASES))
    )
    yield from congruences(facts, size, (c for c in zero if len(c) == 1))
    for first, second in combinations(names, 2):
        yield [(symbol(first), symbol(second))]
    yield from congruences(facts, size, (c for c in zero if len(c) > 1))
    yield from congruences(facts, size, other)
    solution = solve(size)
    if len(names) == 1:
        root = next((p for p in facts.values(names) if evaluate(size, p) == 0), None)
        solution = (names[0], root[names[0]]) if root else None
    if solution:
        yield [(symbol(solution[0]), solution[1])]


def moduli_of(period: int) -> list[int]:
    """The divisors of a period; of one beyond what can be looked at, 1 and itself."""
    if period > MOST_CASES:
        return [1, period]
    return [m for m in range(1, period + 1) if period % m == 0]


def congruences(
    facts: Facts, size: Size, choices: Iterable[list[tuple[str, int, int]]]
) -> Iterator[list[Equality]]:
    """Those choices of (symbol, modulus, residue) under which a few values give zero."""
    for chosen in choices:
        known = dict(facts.known)
        try:
            for name, modulus, residue in chosen:
                known[name] = known.get(name, ANY).congruent(modulus, residue)
        except Contradiction:
            continue
        sample = points(known, symbols(size), limit=8)
        if all(evaluate(size, point) == 0 for point in sample):
            yield [(symbol(n) % m, r) for n, m, r in chosen]
