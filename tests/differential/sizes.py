"""A size as the generator knows it: a number, or a closed form over the symbols of an input.

This is a second account of symbolic sizes, much smaller than the compiler's: it proves two sizes
equal only when they were derived in the same way. `text` is the size in the language itself, so
that it can stand in a shape assertion; `value` is what it is at the sizes the net is drawn for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import NoReturn, TypeAlias


class Invalid(Exception):
    """A stage that would be no valid definition here."""


@dataclass(frozen=True)
class Symbolic:
    """factor * atom + offset; the atom is a symbol or a bracketed text, a known multiple."""

    atom: str
    value_of_atom: int
    multiple: int = 1
    factor: Fraction = Fraction(1)
    offset: int = 0

    @property
    def value(self) -> int:
        """The size where the net is drawn."""
        return int(self.factor * self.value_of_atom) + self.offset

    @property
    def text(self) -> str:
        """The size as a definition writes it."""
        shown = self.atom
        if self.factor.numerator != 1:
            shown = f"{self.factor.numerator} * {shown}"
        if self.factor.denominator != 1:
            shown = f"{shown} // {self.factor.denominator}"
        if self.offset:
            shown += f" {'+' if self.offset > 0 else '-'} {abs(self.offset)}"
        return shown

    def _like(self, factor: Fraction, offset: int) -> Symbolic:
        return Symbolic(self.atom, self.value_of_atom, self.multiple, factor, offset)

    def __add__(self, other: Size) -> Symbolic:
        if isinstance(other, int):
            return self._like(self.factor, self.offset + other)
        if self.atom == other.atom:
            return self._like(self.factor + other.factor, self.offset + other.offset)
        return Symbolic(f"(({self.text}) + ({other.text}))", self.value + other.value)

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        if isinstance(other, int):
            return self + -other
        if self.atom != other.atom or self.factor != other.factor:
            raise Invalid
        return self.offset - other.offset

    def __mul__(self, other: Size) -> Symbolic:
        if isinstance(other, Symbolic):
            return Symbolic(f"(({self.text}) * ({other.text}))", self.value * other.value)
        if other < 1:
            raise Invalid
        return self._like(self.factor * other, self.offset * other)

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> Symbolic:
        """Exact where the atom's part is a known multiple of the divisor, else a new atom."""
        if other < 1:
            raise Invalid
        if other == 1:
            return self
        factor = self.factor / other
        if (factor * self.multiple).denominator == 1:
            return self._like(factor, self.offset // other)
        return Symbolic(f"(({self.text}) // {other})", self.value // other)

    def _undecided(self, *other: object) -> NoReturn:
        """What an expression may only do to a number."""
        raise Invalid

    __mod__ = __lt__ = __gt__ = __index__ = _undecided


Size: TypeAlias = int | Symbolic
Shape: TypeAlias = tuple[Size, ...]


class Tensor(tuple[Size, ...]):
    """A shape with what is known of its tensor: what makes it, and whether it holds whole numbers.

    `source` is the place of a layer or the name of an input. Whole numbers are `fixed` ones, or
    those of an input, which lie below any table that they lead into, and nothing else takes them.
    """

    source: int | str = ""
    whole: bool = False
    fixed: tuple[int, ...] | None = None

    @classmethod
    def of(cls, shape: Shape, source: int | str) -> Tensor:
        """The shape of what `source` makes."""
        tensor = cls(shape)
        tensor.source = source
        if isinstance(shape, Tensor):
            tensor.whole, tensor.fixed = shape.whole, shape.fixed
        return tensor

    @classmethod
    def of_numbers(cls, shape: Shape, fixed: tuple[int, ...] | None = None) -> Tensor:
        """The shape of whole numbers."""
        tensor = cls(shape)
        tensor.whole, tensor.fixed = True, fixed
        return tensor


def is_whole(shape: Shape) -> bool:
    """Whether a tensor holds whole numbers."""
    return isinstance(shape, Tensor) and shape.whole


def is_fed_whole(shape: Shape) -> bool:
    """Whether whole numbers are an input's, which only tables take."""
    return isinstance(shape, Tensor) and shape.whole and shape.fixed is None


def value_of(size: Size) -> int:
    """A size where the net is drawn."""
    return size if isinstance(size, int) else size.value


def text_of(size: Size) -> str:
    """A size as a definition writes it."""
    return str(size) if isinstance(size, int) else size.text


def size_at(size: Size, values: Mapping[str, int]) -> int:
    """A size at other values of the symbols; the language's arithmetic is Python's."""
    return size if isinstance(size, int) else int(eval(size.text, {}, dict(values)))


def product_of(sizes: Shape) -> Size:
    """The product of sizes; that of several symbolic ones is an atom of its own."""
    known = prod(size for size in sizes if isinstance(size, int))
    symbolic: Size = 1
    for size in sizes:
        if isinstance(size, Symbolic):
            symbolic = size * symbolic
    return symbolic * known


def count_of(shape: Shape) -> int:
    """How many numbers a tensor of this shape has where the net is drawn."""
    return prod(map(value_of, shape))


def channels_of(shape: Shape) -> int:
    """The channels, 1 where they are symbolic."""
    return shape[0] if isinstance(shape[0], int) else 1
