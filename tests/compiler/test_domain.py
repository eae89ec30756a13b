"""Facts about symbols, proofs from them and valid domains, against brute force."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.dims import Size, ceil_div, evaluate, symbol
from compiler.domain import Contradiction, Domain, Facts, valid_domain
from compiler.domain.progressions import Progression
from compiler.domain.suggestions import counterexample, suggest, suggest_equal

D, H, K, W = (symbol(name) for name in "DHKW")
QUICK = settings(derandomize=True, max_examples=60, deadline=None)
RELATIONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Fact = tuple[Size, str, Size]


def facts(*known: Fact) -> Facts:
    result = Facts()
    for left, relation, right in known:
        assert result.assume(left, relation, right)
    return result


def domain(*conditions: tuple[Size, int], names: Sequence[str] = ("H",)) -> Domain:
    return valid_domain(Facts(), conditions, names)


EVEN = (H % 2, "==", 0)


# --- learning


@pytest.mark.parametrize(
    ("fact", "lines"),
    [
        (EVEN, ["H >= 2", "H % 2 == 0"]),
        ((H % 2, "!=", 0), ["H >= 1", "H % 2 == 1"]),
        (((H - 1) % 32, "==", 0), ["H >= 1", "H % 32 == 1"]),
        ((6 * H % 8, "==", 2), ["H >= 3", "H % 4 == 3"]),
        ((2 * H, ">=", 7), ["H >= 4"]),
        ((H, ">", 3), ["H >= 4"]),
        ((7, "<", H), ["H >= 8"]),
        ((3 * H, "<", 12), ["H >= 1", "H <= 3"]),
        ((H // 2, "==", 16), ["H >= 32", "H <= 33"]),
        ((2 * H, "==", 448), ["H == 224"]),
        ((H * H, ">=", 60), ["H >= 8"]),
        ((H % 4, "!=", 2), ["H >= 1", "H % 4 != 2"]),
    ],
)
def test_a_fact_on_one_symbol_is_learned(fact: Fact, lines: list[str]) -> None:
    known = facts(fact)
    assert known.lines(["H"]) == lines
    assert known.assume(*fact) is False
    assert known.decide(*fact) is True


def test_an_assertion_on_a_large_remainder_is_suggested_at_once() -> None:
    large = 2_999_999_999_999
    assert suggest(Facts(), H % large, "==", 0) == f"assert H % {large} == 0"


def test_the_remainders_of_two_large_moduli_meet_in_one() -> None:
    first, second = 2_999_999_999_999, 1_000_003
    both = Progression().congruent(first, 5).congruent(second, 7)
    assert (both.lower % first, both.lower % second, both.step) == (5, 7, first * second)
    assert both.lower < both.step


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        ((H % 16000, "==", 0), "H % 16000 == 0"),
        (((H + 3) % 16000, "==", 1), "H % 16000 == 15998"),
        ((7, "==", (H - 5) % 2_999_999_999_999), "H % 2999999999999 == 12"),
    ],
)
def test_a_remainder_by_a_large_number_is_learned(fact: Fact, line: str) -> None:
    known = facts(fact)
    assert line in known.lines(["H"])
    assert known.decide(*fact) is True
    assert valid_domain(known, [], ["H"]).smallest()["H"] == known.known["H"].lower


def test_a_remainder_that_no_number_leaves_is_a_contradiction() -> None:
    with pytest.raises(Contradiction):
        facts((H % 16000, "==", 16000))


def test_congruences_combine() -> None:
    assert facts((H % 4, "==", 3), (H % 6, "==", 1)).lines(["H"]) == ["H >= 7", "H % 12 == 7"]


def test_bounds_and_congruences_meet_through_an_equality() -> None:
    known = facts(EVEN, (W % 3, "==", 0), (W, ">=", 10), (H, "<=", 40), (H, "==", W))
    assert known.lines(["H", "W"]) == ["H >= 12", "H <= 36", "H % 6 == 0", "W == H"]
    known = facts((W, ">=", 10), (W, "==", 2 * H))
    assert known.lines(["H", "W"]) == ["H >= 5", "W == 2*H"]
    known = facts((W, "==", H - 4))
    assert known.lines(["H", "W"]) == ["H >= 5", "W == H - 4"]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (EVEN, (H % 4, "==", 1), "H % 4 == 1 contradicts H >= 2, H % 2 == 0"),
        ((H, "<=", 32), (H, ">=", 33), "H >= 33 contradicts H <= 32"),
        ((H, "==", W), (H, "==", W + 1), r"H == W \+ 1 contradicts W == H"),
        ((H, "==", 224), (H, "==", 225), "H == 225 contradicts H == 224"),
        ((H % 32, "==", 0), (H, "<", 32), "H <= 31 contradicts H >= 32, H % 32 == 0"),
        ((H * W, "==", 64), (H * W, "!=", 64), r"H\*W != 64 contradicts .*H\*W == 64"),
    ],
)
def test_a_contradiction_says_what_meets(first: Fact, second: Fact, message: str) -> None:
    known = facts(first)
    before = known.lines(["H", "W"])
    with pytest.raises(Contradiction, match=message):
        known.assume(*second)
    assert known.lines(["H", "W"]) == before


def test_a_fact_that_never_holds_is_refused() -> None:
    with pytest.raises(Contradiction, match=r"H == H \+ 1 is never true"):
        Facts().assume(H, "==", H + 1)
    with pytest.raises(Contradiction, match=r"2\*H == 7 is never true"):
        Facts().assume(2 * H, "==", 7)


def test_other_facts_are_kept_and_answer_the_same_question() -> None:
    known = facts((H * W, ">=", 64), (H, ">", W))
    assert known.decide(2 * H * W, ">=", 128) is True
    assert known.decide(H * W, "<", 64) is False
    assert known.decide(H, ">=", W) is True
    assert known.decide(H, "!=", W) is True
    assert known.decide(H * W, ">=", 65) is None


def test_kept_facts_are_seen_again_when_more_is_known() -> None:
    known = facts((H * W, ">=", 64), (W, "==", 2))
    assert known.lines(["H", "W"]) == ["H >= 32", "W == 2"]
    with pytest.raises(Contradiction):
        facts((H, ">", W), (H, "<=", 3)).assume(W, ">=", 3)


# --- rewriting and proving


@pytest.mark.parametrize(
    ("known", "size", "text"),
    [
        ([EVEN], 2 * (H // 2), "H"),
        ([EVEN], (H - 1) // 2 + 1, "floor(H/2)"),
        ([(H % 32, "==", 0)], (H - 1) // 4 + 1, "floor(H/4)"),
        ([(H % 2, "==", 1)], (H - 1) // 2 + 1, "floor(H/2) + 1"),
        ([(H % 2, "==", 1)], 2 * ((H - 1) // 2) + 1, "H"),
        ([EVEN], H // 3, "floor(H/3)"),
        ([EVEN, (W % 4, "==", 0)], 64 * (H // 2) * (W // 2), "16*H*W"),
        ([EVEN, (W % 2, "==", 0)], (H // 2) * (W // 2), "floor(H/2)*floor(W/2)"),
        ([(H, "==", 2 * W)], H // 2, "W"),
        ([(H, "==", 224)], (H - 1) // 2 + 1, "112"),
        ([], 2 * (H // 2), "2*floor(H/2)"),
    ],
)
def test_a_size_is_simplified_by_what_is_known(known: list[Fact], size: Size, text: str) -> None:
    found = facts(*known).simplify(size)
    assert str(found) == text
    assert facts(*known).simplify(found) == found


@pytest.mark.parametrize(
    ("known", "question", "verdict"),
    [
        ([], (H, ">=", 1), True),
        ([], ((H - 1) // 2 + 1, ">=", 1), True),
        ([], (H + 4, ">", H), True),
        ([], (H, "==", H + 1), False),
        ([], (H * W, ">=", 1), True),
        ([], (H * W, ">=", H), True),
        ([], (H, ">=", H // 2 + H // 3), True),
        ([], (H // 2 + (H + 1) // 2, "==", H), True),
        ([], (ceil_div(H, 3), "==", -(-H // 3)), True),
        ([], (H % 4, "<", 4), True),
        ([], (H, ">=", 2), None),
        ([], (H, "==", W), None),
        ([EVEN], (H, "!=", 7), True),
        ([EVEN], (4 * (H // 4), "==", H), None),
        ([(H, ">=", 33)], ((H - 5) // 4 + 1, ">=", 8), True),
        ([(H, "<=", 7)], (H * H, "<=", 49), True),
        ([(H, "==", W)], (H - W, "==", 0), True),
    ],
)
def test_a_question_is_decided(known: list[Fact], question: Fact, verdict: bool | None) -> None:
    assert facts(*known).decide(*question) is verdict


def test_a_hard_question_stays_open_instead_of_taking_long() -> None:
    assert Facts().decide(H // 5003 + W // 5009 + D // 5011, "<=", H + W + D) in (None, True)


# --- suggesting


@pytest.mark.parametrize(
    ("known", "a", "b", "text"),
    [
        ([], 2 * (H // 2), H, "assert H % 2 == 0"),
        ([], 16 * (H // 16), H, "assert H % 16 == 0"),
        ([], 2 * ((H // 2) // 2), H // 2, "assert H % 4 == 0"),
        ([], 2 * ((H - 1) // 2) + 1, H, "assert H % 2 == 1"),
        ([], H, W, "assert H == W"),
        ([], H // 2, W // 2, "assert H == W"),
        ([], 16 * (H // 4) * (W // 4), H * W, "assert H % 4 == 0 and W % 4 == 0"),
        ([EVEN], 4 * (H // 4), H, "assert H % 4 == 0"),
        ([], H, 224, "assert H == 224"),
        ([(H % 32, "==", 0)], H // 5, 32, "assert H == 160"),
        ([], H, W + 5, "assert H == W + 5"),
        ([], H, H + 1, None),
        ([], H, H, None),
    ],
)
def test_the_assertion_that_proves_an_equality(
    known: list[Fact], a: Size, b: Size, text: str | None
) -> None:
    assert suggest_equal(facts(*known), (a, b)) == text


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (((H - 1) // 2 + 1, ">=", 17), "assert H >= 33"),
        ((100 - H, ">=", 1), "assert H <= 99"),
        ((H % 2, "<", 1), "assert H % 2 == 0"),
        ((H * W, ">=", 64), "assert H*W >= 64"),
        ((H * W, "==", H + W), "assert H*W == H + W"),
        ((2 * (H // 2), "==", H), "assert H % 2 == 0"),
        ((H, ">=", 1), None),
    ],
)
def test_the_assertion_that_decides_a_comparison(question: Fact, text: str | None) -> None:
    assert suggest(Facts(), *question) == text


def test_a_counterexample_is_small_and_in_the_domain() -> None:
    assert counterexample(Facts(), 2 * (H // 2), H) == {"H": 1}
    assert counterexample(facts(EVEN), 4 * (H // 4), H) == {"H": 2}
    assert counterexample(facts(EVEN), 2 * (H // 2), H) is None
    assert counterexample(facts((H, "==", W), (H, ">=", 9)), H, 2 * W) == {"H": 9, "W": 9}
    assert counterexample(facts((H, ">", W)), H, W + 1) == {"H": 3, "W": 1}


# --- valid domains


def test_a_domain_has_a_line_for_each_fact_in_the_order_of_names() -> None:
    found = valid_domain(
        facts((H % 32, "==", 0)), [((W - 1) // 8 + 1, 5), (H, 33)], ["W", "H", "D"]
    )
    assert found.lines() == ["W >= 33", "H >= 64", "H % 32 == 0", "D >= 1"]
    assert found.smallest() == {"W": 33, "H": 64, "D": 1}
    assert found.contains({"H": 96, "W": 40, "D": 2}) == []
    assert found.contains({"H": 70, "W": 4, "D": 1}) == ["W >= 33", "H % 32 == 0"]
    assert (found.lower["H"], found.congruence, found.upper) == (64, {"H": (32, 0)}, {})


def test_a_domain_says_equalities_and_conditions_over_several_symbols() -> None:
    found = valid_domain(facts((H, "==", W)), [(H - 2, 3), (K * H, 9)], ["H", "W", "K"])
    assert found.lines() == ["H >= 5", "W == H", "K >= 1", "H*K >= 9"]
    assert found.conditions == ("H*K >= 9",)
    assert found.lower == {"H": 5, "W": 5, "K": 1}
    assert found.smallest() == {"H": 5, "W": 5, "K": 2}
    assert found.contains({"H": 5, "W": 6, "K": 1}) == ["W == H", "H*K >= 9"]


def test_an_upper_bound_and_a_condition_that_follows_from_the_others() -> None:
    found = domain((H, 33), (W, 33), (H * W, 9), (224 - H, 1), names=["H", "W"])
    assert found.lines() == ["H >= 33", "H <= 223", "W >= 33"]
    assert found.upper == {"H": 223}


def test_a_condition_that_does_not_rise_is_scanned() -> None:
    assert domain((H * H - 10 * H, 5)).lines() == ["H >= 11"]
    assert domain(((H - 5) * (H - 5), 4)).lines() == ["H >= 1", "H*H + 21 >= 10*H"]


def test_an_empty_domain_names_the_conditions() -> None:
    with pytest.raises(Contradiction, match="H <= 20 contradicts H >= 33"):
        domain((H, 33), (20 - H, 0))
    with pytest.raises(Contradiction, match=r"no sizes were found that satisfy .*H \+ W <= 8"):
        domain((H * W, 60), (8 - H - W, 0), names=["H", "W"])


# --- never a lie


SIZES = st.recursive(
    st.sampled_from([H, W]) | st.integers(-6, 12),
    lambda inner: st.one_of(
        st.builds(operator.add, inner, inner),
        st.builds(operator.sub, inner, inner),
        st.builds(operator.mul, inner, st.integers(-3, 4)),
        st.builds(operator.floordiv, inner, st.integers(1, 5)),
        st.builds(operator.mod, inner, st.integers(1, 5)),
        st.builds(operator.mul, inner, st.sampled_from([H, W])),
    ),
    max_leaves=4,
)
FACTS = st.lists(st.tuples(SIZES, st.sampled_from(sorted(RELATIONS)), SIZES), max_size=3)
POINTS = [{"H": h, "W": w} for h in range(1, 26) for w in range(1, 26)]


def true_at(fact: Fact, point: dict[str, int]) -> bool:
    left, relation, right = fact
    return bool(RELATIONS[relation](evaluate(left, point), evaluate(right, point)))


@QUICK
@given(FACTS, SIZES, st.sampled_from(sorted(RELATIONS)), SIZES)
def test_decisions_hold_at_every_value_that_satisfies_the_facts(
    given_facts: list[Fact], left: Size, relation: str, right: Size
) -> None:
    known = Facts()
    valid = POINTS
    for fact in given_facts:
        try:
            known.assume(*fact)
        except Contradiction:
            assert not any(true_at(fact, point) for point in valid)
            continue
        valid = [point for point in valid if true_at(fact, point)]
    verdict = known.decide(left, relation, right)
    if verdict is not None:
        assert all(true_at((left, relation, right), point) is verdict for point in valid)
    found = known.simplify(left)
    assert all(evaluate(found, point) == evaluate(left, point) for point in valid)
    checks = [rule for _, rule in known.checks(["H", "W"])]
    assert [p for p in POINTS if all(rule.holds(p) for rule in checks)] == valid


@QUICK
@given(SIZES, SIZES)
def test_a_suggestion_proves_and_a_counterexample_refutes(a: Size, b: Size) -> None:
    known = Facts()
    if known.equal(a, b):
        assert counterexample(known, a, b) is None
        assert suggest_equal(known, (a, b)) is None
    found = counterexample(known, a, b)
    if found is not None:
        point = {"H": 1, "W": 1} | found
        assert evaluate(a, point) != evaluate(b, point)


@QUICK
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(0, 2)), max_size=4),
    st.integers(1, 6),
    st.integers(1, 4),
)
def test_the_lower_bound_of_a_stack_of_windows_is_exact(
    layers: list[tuple[int, int, int]], modulus: int, least: int
) -> None:
    def conditions(size: Size) -> list[tuple[Size, int]]:
        found: list[tuple[Size, int]] = []
        for kernel, stride, pad in layers:
            found.append((size + 2 * pad, kernel))
            size = (size + 2 * pad - kernel) // stride + 1
        return [*found, (size, least)]

    known = Facts()
    known.assume(H % modulus, "==", 0)
    found = valid_domain(known, conditions(H), ["H"])
    direct = next(
        h for h in range(modulus, 5000, modulus)
        if all(evaluate(size, {}) >= least for size, least in conditions(h))
    )  # fmt: skip
    assert found.lower == {"H": direct} == found.smallest()
