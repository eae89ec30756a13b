"""What an argument of an op may be: one `Kind` for each sort, with its check and its words.

A kind turns a compile-time value (int, float, bool, string, list, tuple, size) into the canonical
immutable value that the op's dataclass stores, or raises `ArgumentError` with the rule and then
the value. The same objects feed error messages, completion and the generated reference.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, field
from typing import Any, ClassVar

from compiler.dims import Dim
from grammar.records import dataclass

LARGEST_NUMBER = 2**31 - 1  # of an argument that counts channels or pixels
MOST_SHOWN = 24  # items of a list in a message
LONGEST_SHOWN = 80  # letters of a wrong value that an error repeats


class ArgumentError(ValueError):
    """An argument of the wrong sort or out of its range; the text says the rule, then the value."""


class Extent(tuple[int, ...]):
    """A size literal such as `3x3` or `1x7`: one whole number for each spatial axis."""

    def __str__(self) -> str:
        return "x".join(map(str, self))

    __repr__ = __str__


def uniform(value: Any) -> int | None:
    """The number that an argument gives for every axis; None when they differ."""
    numbers = set(value) if isinstance(value, tuple) else {value}
    only = numbers.pop()
    return None if numbers or not isinstance(only, int) else only


class Named:
    """What the language calls by a name: `class Adam(Optimiser, name="adam")`."""

    name: ClassVar[str] = ""

    def __init_subclass__(cls, *, name: str = "") -> None:
        super().__init_subclass__()
        cls.name = name or cls.name


@dataclass(frozen=True)
class Kind:
    """A sort of argument: `words` completes the sentence "… must be {words}"."""

    words: str
    convert: Callable[[Any], Any]
    choices: tuple[str, ...] = ()  # the strings that it may be

    def __call__(self, value: object) -> Any:
        """Convert `value`, or raise `ArgumentError` saying what it must be and what it was."""
        try:
            return self.convert(value)
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ArgumentError):
                raise
            shown = show(value)
            if len(shown) > LONGEST_SHOWN:
                shown = shown[:LONGEST_SHOWN] + "…"
            raise ArgumentError(f"must be {self.words}, got {shown}") from None


def show(value: object, levels: int = 3) -> str:
    """A compile-time value as a user would have written it, long and deep lists cut short."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case Extent():
            return str(value)
        case list():
            return f"[{show_items(value, levels)}]"
        case tuple():
            return f"({show_items(value, levels)})"
        case None:
            return "none"
        case type():
            return str(getattr(value, "name", value.__name__))
        case _:
            return str(value)


def show_items(values: Sequence[object], levels: int) -> str:
    """What stands between the brackets of a list that lies so many levels above the last shown."""
    if not levels:
        return "…"
    shown = [show(value, levels - 1) for value in values[:MOST_SHOWN]]
    return ", ".join(shown + ["…"] * (len(values) > MOST_SHOWN))


def arg(kind: Kind, default: Any = MISSING, doc: str = "", default_text: str = "") -> Any:
    """A dataclass field that is an argument of an op; `default_text` shows a derived default."""
    metadata = {"kind": kind, "doc": doc, "default_text": default_text}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def known_whole(value: Any) -> int:
    """A plain whole number; raises TypeError, or ArgumentError for a symbolic size."""
    if isinstance(value, Dim):
        raise ArgumentError(f"must be a known whole number, got the symbolic size {value}")
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if value > LARGEST_NUMBER:
        raise ArgumentError(f"must be at most {LARGEST_NUMBER}, got {value}")
    return value


def whole(minimum: int, maximum: int | None = None) -> Kind:
    """A whole number of at least `minimum`, and at most `maximum` where there is one."""

    def convert(value: Any) -> int:
        number = known_whole(value)
        if number < minimum or (maximum is not None and number > maximum):
            raise ValueError
        return number

    most = "" if maximum is None else f" and at most {maximum}"
    return Kind(f"a whole number of at least {minimum}{most}", convert)


def number(value: Any) -> float:
    """A finite number as a float; TypeError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


NUMBER = Kind("a number", number)


def _positive(value: Any) -> float:
    if number(value) <= 0:
        raise ValueError
    return float(value)


POSITIVE = Kind("a number above 0", _positive)


def _small(value: Any) -> float:
    if not 0 < number(value) < 1:
        raise ValueError
    return float(value)


SMALL = Kind("a number above 0 and below 1", _small)


def _fraction(value: Any) -> float:
    if not 0 <= number(value) < 1:
        raise ValueError
    return float(value)


FRACTION = Kind("a number from 0 up to but not including 1", _fraction)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


FLAG = Kind("true or false", _flag)


def choice(*options: str) -> Kind:
    """One of a few strings."""

    def convert(value: Any) -> str:
        if value not in options:
            raise ValueError
        return str(value)

    return Kind("one of " + ", ".join(f'"{o}"' for o in options), convert, options)


def extent(minimum: int) -> Kind:
    """A number for every spatial axis, or a size such as `3x3` with one number an axis."""

    def convert(value: Any) -> int | Extent:
        if isinstance(value, tuple | list) and value:
            numbers = [known_whole(v) for v in value]
            if min(numbers) < minimum:
                raise ValueError
            return Extent(numbers)
        if known_whole(value) < minimum:
            raise ValueError
        return int(value)

    return Kind(f"a whole number of at least {minimum} or a size such as 3x3", convert)


def _numbers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError
        return tuple(number(v) for v in value)
    return number(value)


NUMBERS = Kind("a number, or a list with one number for each channel", _numbers)


def _deviations(value: Any) -> Any:
    numbers = _numbers(value)
    if any(n <= 0 for n in (numbers if isinstance(numbers, tuple) else (numbers,))):
        raise ValueError
    return numbers


DEVIATIONS = Kind("a number above 0, or a list with one for each channel", _deviations)


FITTED = (
    "fitted"  # where a call gives no `init`: "he", smaller where branches add up (`initialise`)
)
INIT_PATTERN = re.compile(
    r"he|xavier|lecun|zero|(normal|constant)\(\s*[-+]?\d+(\.\d*)?(e-?\d+)?\s*\)"
)


def _init(value: Any) -> str:
    if not isinstance(value, str) or not INIT_PATTERN.fullmatch(value):
        raise ValueError
    return value


INITS = ("he", "xavier", "lecun", "zero", "normal(0.01)", "constant(0.1)")
INIT = Kind('"he", "xavier", "lecun", "zero", "normal(0.01)" or "constant(0.1)"', _init, INITS)


def init_argument() -> Any:
    """The argument `init` of a layer whose weight begins as large as its place in the net asks."""
    return arg(
        INIT,
        FITTED,
        "distribution of the initial weight; left out, less where branches add up",
        default_text='"he"',
    )
