"""Symbolic sizes: hand-computed forms, and their values against Python integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.dims import (
    Dim,
    Size,
    SymbolicError,
    ceil_div,
    divisors,
    evaluate,
    substitute,
    symbol,
    symbols,
)

H, W = symbol("H"), symbol("W")
QUICK = settings(derandomize=True, max_examples=150, deadline=None)
Both = tuple[Size, Callable[[int, int], int]]


def window(size: Any, kernel: int, stride: int, pad: int) -> Any:
    return (size + 2 * pad - kernel) // stride + 1


def test_stacked_strided_convolutions_fold_into_one_floor() -> None:
    once = window(H, 3, 2, 1)
    assert str(once) == "floor((H - 1)/2) + 1"
    assert str(window(once, 3, 2, 1)) == "floor((H - 1)/4) + 1"
    assert str(window(window(once, 3, 2, 1), 3, 2, 1)) == "floor((H - 1)/8) + 1"


def test_poolings_fold_into_one_floor() -> None:
    assert str(window(H, 2, 2, 0)) == "floor(H/2)"
    assert str(window(window(H, 2, 2, 0), 2, 2, 0)) == "floor(H/4)"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (2 * (H // 2), "2*floor(H/2)"),
        (H * W, "H*W"),
        (H - 4, "H - 4"),
        (4 - H, "-H + 4"),
        (-H, "-H"),
        ((3 * H + 5) // 2, "H + floor((H - 1)/2) + 3"),
        ((4 * H + 7) // 6, "floor(2*H/3) + 1"),
        (H * H // 2, "floor(H*H/2)"),
        ((H - 4) * (W - 2) + H // 2, "H*W - 2*H - 4*W + floor(H/2) + 8"),
        (H % 32, "H - 32*floor(H/32)"),
        ((H // 2 + W // 3) // 2, "floor((H + 2*floor(W/3))/4)"),
        (W + H + 1, "H + W + 1"),
    ],
)
def test_a_size_reads_as_written_by_hand(size: Size, text: str) -> None:
    assert str(size) == text


@pytest.mark.parametrize(
    ("size", "value"),
    [
        (H - H, 0),
        (0 * H, 0),
        ((H + 3) - H, 3),
        ((2 * H + 5) % 2, 1),
        (H * W % W, 0),
        (0 // H, 0),
        ((2 * H + 4) // (H + 2), 2),
    ],
)
def test_a_constant_is_a_plain_int(size: Size, value: int) -> None:
    assert size == value
    assert type(size) is int


def test_equal_forms_compare_equal_and_hash_alike() -> None:
    assert (H + W) * (H - W) == H * H - W * W
    assert len({H + W, W + H, (2 * H + 2 * W) // 2}) == 1
    assert H != W
    number: object = 3
    assert number != H


def test_division_by_a_size_must_be_exact() -> None:
    assert (H * H - W * W) // (H - W) == H + W
    with pytest.raises(SymbolicError, match=r"W does not divide H for every size"):
        H // W
    with pytest.raises(SymbolicError, match=r"6 divided by the symbolic size H has no closed form"):
        6 // H
    for bad in (0, -2):
        with pytest.raises(SymbolicError, match=r"divides by a positive number only"):
            H // bad


def test_sizes_are_not_ordered_and_take_no_floats() -> None:
    with pytest.raises(TypeError):
        assert H < W  # type: ignore[operator]
    with pytest.raises(TypeError):
        H * 0.5  # type: ignore[operator]


def test_a_missing_symbol_is_named() -> None:
    with pytest.raises(SymbolicError, match="the symbol W has no value"):
        evaluate(H + W, {"H": 3})


def test_parts_of_a_size() -> None:
    size = (H // 3 * 2 + 1) // 5 * W
    assert symbols(size) == {"H", "W"}
    assert symbols(7) == frozenset()
    assert divisors(size) == {3, 5}
    assert substitute(size, {"H": 6, "W": 2}) == 2
    assert substitute(H + 2 * W, {"H": W, "W": H}) == W + 2 * H


def combine(children: st.SearchStrategy[Both]) -> st.SearchStrategy[Both]:
    number = st.integers(1, 6)

    def plus(a: Both, b: Both) -> Both:
        return a[0] + b[0], lambda h, w: a[1](h, w) + b[1](h, w)

    def minus(a: Both, b: Both) -> Both:
        return a[0] - b[0], lambda h, w: a[1](h, w) - b[1](h, w)

    def times(a: Both, b: Both) -> Both:
        return a[0] * b[0], lambda h, w: a[1](h, w) * b[1](h, w)

    def floor(a: Both, d: int) -> Both:
        return a[0] // d, lambda h, w: a[1](h, w) // d

    def ceil(a: Both, d: int) -> Both:
        return ceil_div(a[0], d), lambda h, w: -(-a[1](h, w) // d)

    def rest(a: Both, d: int) -> Both:
        return a[0] % d, lambda h, w: a[1](h, w) % d

    pairs = [st.builds(f, children, children) for f in (plus, minus, times)]
    return st.one_of(*pairs, *(st.builds(f, children, number) for f in (floor, ceil, rest)))


LEAVES: list[Both] = [(H, lambda h, w: h), (W, lambda h, w: w)]
EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES) | st.integers(-9, 9).map(lambda n: (n, lambda h, w: n)),
    combine,
    max_leaves=6,
)


@QUICK
@given(EXPRESSIONS)
def test_canonical_form_has_the_value_of_the_direct_computation(pair: Both) -> None:
    size, direct = pair
    for h, w in [(1, 1), (2, 7), (5, 3), (12, 11), (33, 64), (224, 225)]:
        assert evaluate(size, {"H": h, "W": w}) == direct(h, w)
        assert substitute(size, {"H": h, "W": w}) == direct(h, w)


@QUICK
@given(EXPRESSIONS)
def test_rebuilding_a_canonical_form_leaves_it_alone(pair: Both) -> None:
    size = pair[0]
    assert substitute(size, {}) == size
    assert isinstance(size, int) or all(c for _, c in size.terms)
    assert not isinstance(size, Dim) or any(monomial for monomial, _ in size.terms)


@QUICK
@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 3)), max_size=5))
def test_a_stack_of_windows_has_one_floor_and_the_right_size(
    layers: list[tuple[int, int, int]],
) -> None:
    size: Any = H
    for kernel, stride, pad in layers:
        size = window(size, kernel, stride, pad)
    assert str(size).count("floor") <= 1
    for h in range(1, 80):
        direct = h
        for kernel, stride, pad in layers:
            direct = window(direct, kernel, stride, pad)
        assert evaluate(size, {"H": h}) == direct
