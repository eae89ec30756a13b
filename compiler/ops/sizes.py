"""Arguments that are sizes, axes or padding."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim
from compiler.ops.arguments import ArgumentError, Extent, Kind, extent, known_whole, show

PADDING_WORDS = ("same", "same_lower", "half", "valid")


def _padding(value: Any) -> Any:
    if isinstance(value, str):
        if value not in PADDING_WORDS:
            raise ValueError
        return value
    if isinstance(value, Extent):
        return extent(0).convert(value)
    if isinstance(value, list | tuple) and value:
        if all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            return extent(0).convert(value)
        pairs = []
        for pair in value:
            before, after = (known_whole(v) for v in pair)
            if before < 0 or after < 0:
                raise ValueError
            pairs.append((before, after))
        return tuple(pairs)
    if known_whole(value) < 0:
        raise ValueError
    return int(value)


PADDING = Kind(
    "a whole number of at least 0, a size such as 1x3, a list of (before, after) pairs, or one of "
    + ", ".join(f'"{w}"' for w in PADDING_WORDS),
    _padding,
    PADDING_WORDS,
)


def _amount(value: Any) -> Any:
    if isinstance(value, Dim):
        return value
    if isinstance(value, list | tuple) and any(map(is_open, value)):
        return tuple(tuple(v if isinstance(v, Dim) else known_whole(v) for v in p) for p in value)
    return _padding(value)


def is_open(pair: Any) -> bool:
    """Whether one of a pair is a symbolic size."""
    return isinstance(pair, list | tuple) and any(isinstance(v, Dim) for v in pair)


AMOUNT = Kind(PADDING.words, _amount)


def _size(value: Any) -> int | Dim:
    if isinstance(value, Dim):
        return value
    if known_whole(value) < 1:
        raise ValueError
    return int(value)


SIZE = Kind("a size: a whole number of at least 1, or a symbolic size", _size)


def _sizes(value: Any) -> tuple[int | Dim, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise TypeError
    sizes = tuple(-1 if v == -1 and not isinstance(v, bool) else _size(v) for v in value)
    if sizes.count(-1) > 1:
        raise ArgumentError(f"may leave one size open with -1, got {show(list(value))}")
    return sizes


SIZES = Kind("a list of sizes, at most one of them -1 (what is left over)", _sizes)


MOST_AXES = 6  # of a sample


def _known_sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_AXES:
        raise TypeError
    sizes = tuple(map(known_whole, value))
    if min(sizes) < 1:
        raise ValueError
    return sizes


KNOWN_SIZES = Kind(f"a list of 1 to {MOST_AXES} sizes, each a known whole number", _known_sizes)


def _permutation(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or sorted(map(known_whole, value)) != [
        *range(len(value))
    ]:
        raise ValueError
    return tuple(value)


PERMUTATION = Kind("a list that holds each axis 0, 1, … once", _permutation)


AXIS = Kind("a whole number: an axis, channels being 0", known_whole)


OPTIONAL_AXIS = Kind(AXIS.words, lambda value: None if value is None else known_whole(value))


def _axes(value: Any) -> int | tuple[int, ...] | None:
    if isinstance(value, list | tuple) and value:
        return tuple(map(known_whole, value))
    return None if value is None else known_whole(value)


AXES = Kind("a whole number, an axis, channels being 0, or a list of them", _axes)
