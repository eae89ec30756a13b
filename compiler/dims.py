"""Sizes that may be symbolic, in canonical closed form.

A `Dim` is an integer polynomial over atoms; an atom is a symbol (`H`) or `floor(p/d)` of another
polynomial by a positive number. The output-size formula composes, because floors nest:

    floor((floor(p/c) + q)/d) = floor((p + c q)/(c d))        for integer q

(Graham, Knuth and Patashnik, Concrete Mathematics, 2nd ed., eq. 3.11). A value without symbols is
always a plain int.

>>> H = symbol("H")
>>> half = (H + 2 - 3) // 2 + 1                # a 3x3 convolution, stride 2, pad 1
>>> print(half, "|", (half + 2 - 3) // 2 + 1)  # and another one
floor((H - 1)/2) + 1 | floor((H - 1)/4) + 1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from math import gcd
from typing import TypeAlias

from grammar.records import dataclass

Size: TypeAlias = "int | Dim"
Atom: TypeAlias = "str | Floor"
Monomial: TypeAlias = "tuple[Atom, ...]"


MOST_TERMS = 4096  # of a product, before like ones are joined


class SymbolicError(ValueError):
    """An operation on symbolic sizes that has no closed form."""


@dataclass(frozen=True)
class Floor:
    """The atom `floor(numerator/divisor)`; made by `Dim.__floordiv__` only."""

    numerator: Dim
    divisor: int

    @cached_property
    def text(self) -> str:
        inner = str(self.numerator)
        if len(self.numerator.terms) > 1:
            inner = f"({inner})"
        return f"floor({inner}/{self.divisor})"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Dim:
    """A symbolic size: the sum of coefficient times monomial, terms in a stable order.

    The empty monomial is the constant term. Equal canonical forms compare equal; sizes are not
    ordered, as that is a question for `compiler.domain.Facts`.
    """

    terms: tuple[tuple[Monomial, int], ...]

    @cached_property
    def text(self) -> str:
        return sum_text(self, str)

    def __str__(self) -> str:
        return self.text

    @property
    def constant(self) -> int:
        """The constant term."""
        monomial, coefficient = self.terms[-1]
        return 0 if monomial else coefficient

    def __neg__(self) -> Size:
        return self * -1

    def __add__(self, other: Size) -> Size:
        if not isinstance(other, int | Dim):
            return NotImplemented
        return _total(chain(self.terms, _terms(other)))

    def __sub__(self, other: Size) -> Size:
        if not isinstance(other, int | Dim):
            return NotImplemented
        return self + -other

    def __rsub__(self, other: int) -> Size:
        return -self + other

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, int | Dim):
            return NotImplemented
        if isinstance(other, Dim) and len(self.terms) * len(other.terms) > MOST_TERMS:
            raise SymbolicError("a product of symbolic sizes with too many terms")
        return _total(
            (tuple(sorted(left + right, key=_atom_key)), a * b)
            for left, a in self.terms
            for right, b in _terms(other)
        )

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        """`floor(self/other)`; by another `Dim` only when it divides exactly (where not zero)."""
        if isinstance(other, Dim):
            quotient = _exact_quotient(self, other)
            if quotient is None:
                raise SymbolicError(f"{other} does not divide {self} for every size")
            return quotient
        if not isinstance(other, int):
            return NotImplemented
        if other < 1:
            raise SymbolicError(f"a symbolic size divides by a positive number only (got {other})")
        return _floor(self, other)

    def __rfloordiv__(self, other: int) -> Size:
        if other == 0:
            return 0
        raise SymbolicError(f"{other} divided by the symbolic size {self} has no closed form")

    def __mod__(self, other: Size) -> Size:
        """The remainder `self - other*floor(self/other)`."""
        return self - self // other * other

    def __rmod__(self, other: int) -> Size:
        return other - other // self * self


def sum_text(size: Dim, atom_text: Callable[[Atom], str]) -> str:
    """A size in words, each of its atoms in those of `atom_text`."""
    shown = ""
    for monomial, coefficient in size.terms:
        sign = "-" if coefficient < 0 else "+"
        shown += f" {sign} " if shown else sign.strip("+")
        factors = [atom_text(atom) for atom in monomial]
        if abs(coefficient) != 1 or not monomial:
            factors.insert(0, str(abs(coefficient)))
        shown += "*".join(factors)
    return shown


def source_text(size: Size) -> str:
    """A size as a definition writes it.

    >>> source_text((symbol("H") - 1) // 2 + 1)
    '((H - 1) // 2) + 1'
    """
    return str(size) if isinstance(size, int) else sum_text(size, _atom_source)


def _atom_source(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    inner = source_text(atom.numerator)
    return f"(({inner}) // {atom.divisor})" if " " in inner else f"({inner} // {atom.divisor})"


def _terms(size: Size) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if isinstance(size, Dim) else (((), size),)


def _atom_key(atom: Atom) -> tuple[bool, str]:
    """Symbols before floors, then by name."""
    return isinstance(atom, Floor), str(atom)


def _term_key(term: tuple[Monomial, int]) -> tuple[int, list[tuple[bool, str]]]:
    """The graded lexicographic order: higher degree first, the constant last."""
    return -len(term[0]), [_atom_key(atom) for atom in term[0]]


def _total(terms: Iterable[tuple[Monomial, int]]) -> Size:
    """The sum of terms in canonical form: like terms joined, zeros dropped, sorted."""
    coefficients: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        coefficients[monomial] = coefficients.get(monomial, 0) + coefficient
    kept = sorted(((m, c) for m, c in coefficients.items() if c), key=_term_key)
    if not kept or kept == [((), kept[0][1])]:
        return kept[0][1] if kept else 0
    return Dim(tuple(kept))


def _floor(size: Size, divisor: int) -> Size:
    """The canonical form of `floor(size/divisor)`."""
    if isinstance(size, int):
        return size // divisor
    outside = _total((m, c // divisor) for m, c in size.terms if m)
    inside = _total((m, c % divisor if m else c) for m, c in size.terms)
    if isinstance(inside, int):
        return outside + inside // divisor
    common = gcd(divisor, *(c for m, c in inside.terms if m))
    if common > 1:
        reduced = _total((m, c // common) for m, c in inside.terms)
        return outside + _floor(reduced, divisor // common)
    for monomial, coefficient in inside.terms:
        if coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], Floor):
            nested = monomial[0]
            rest = inside - Dim(((monomial, 1),))
            folded = nested.numerator + nested.divisor * rest
            return outside + _floor(folded, nested.divisor * divisor)
    whole = -(-inside.constant // divisor)  # leaves a constant in (-divisor, 0]
    numerator = inside - whole * divisor
    assert isinstance(numerator, Dim)
    return outside + whole + Dim((((Floor(numerator, divisor),), 1),))


def _exact_quotient(size: Dim, divisor: Dim) -> Size | None:
    """Polynomial long division by leading terms; None when there is a remainder."""
    quotient: Size = 0
    rest: Size = size
    leading, coefficient = divisor.terms[0]
    while isinstance(rest, Dim):
        monomial, amount = rest.terms[0]
        left = list(monomial)
        for atom in leading:
            if atom not in left:
                return None
            left.remove(atom)
        if amount % coefficient:
            return None
        step = _total([(tuple(left), amount // coefficient)])
        quotient, rest = quotient + step, rest - step * divisor
    return quotient if rest == 0 else None


def symbol(name: str) -> Dim:
    """The size that a symbol stands for."""
    return Dim((((name,), 1),))


def ceil_div(size: Size, divisor: int) -> Size:
    """`ceil(size/divisor)`, as `floor((size + divisor - 1)/divisor)`.

    >>> str(ceil_div(symbol("H"), 2)), ceil_div(7, 2)
    ('floor((H - 1)/2) + 1', 4)
    """
    return (size + divisor - 1) // divisor


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """`size` with every symbol in `values` replaced at once, in canonical form.

    >>> str(substitute(symbol("H") // 2, {"H": symbol("W") + 2}))
    'floor(W/2) + 1'
    """
    if isinstance(size, int):
        return size
    result: Size = 0
    for monomial, coefficient in size.terms:
        term: Size = coefficient
        for atom in monomial:
            if isinstance(atom, Floor):
                term = term * (substitute(atom.numerator, values) // atom.divisor)
            else:
                term = term * values.get(atom, symbol(atom))
        result = result + term
    return result


def evaluate(size: Size, values: Mapping[str, int]) -> int:
    """The number that `size` is at these values; raises `SymbolicError` for a missing symbol."""
    if isinstance(size, int):
        return size
    result = 0
    for monomial, coefficient in size.terms:
        for atom in monomial:
            if isinstance(atom, Floor):
                coefficient *= evaluate(atom.numerator, values) // atom.divisor
            elif atom in values:
                coefficient *= values[atom]
            else:
                raise SymbolicError(f"the symbol {atom} has no value")
        result += coefficient
    return result


def _atoms(size: Size) -> Iterable[Atom]:
    """Every atom of a size, those inside floors too."""
    for monomial, _ in _terms(size):
        for atom in monomial:
            yield atom
            if isinstance(atom, Floor):
                yield from _atoms(atom.numerator)


def symbols(size: Size) -> frozenset[str]:
    """The names of the symbols in a size."""
    return frozenset(atom for atom in _atoms(size) if isinstance(atom, str))


def divisors(size: Size) -> frozenset[int]:
    """The divisors of the floors in a size."""
    return frozenset(atom.divisor for atom in _atoms(size) if isinstance(atom, Floor))
