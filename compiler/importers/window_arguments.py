"""Kernels, strides and pads of other formats in the form that a definition would give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.domain import Facts
from compiler.importers.builder import Refused
from compiler.ops.arguments import Extent
from compiler.ops.base import Shape, ShapeError
from compiler.ops.windows import Window, resolve_padding

Pairs = tuple[tuple[int, int], ...]


def kernel(sizes: Sequence[int]) -> int | Extent:
    """A kernel: `3x3`, or a number along one axis."""
    return Extent(sizes) if len(sizes) > 1 else int(sizes[0])


def each(values: Sequence[int]) -> int | Extent:
    """A stride or dilation: one number when it is the same along every axis."""
    return int(values[0]) if len(set(values)) == 1 else Extent(values)


def pads(pairs: Pairs) -> Any:
    """A padding: one number, a size, or pairs, the shortest that says it."""
    if all(before == after for before, after in pairs):
        return each([before for before, _ in pairs])
    return [list(pair) for pair in pairs]


def onnx_pairs(flat: Sequence[int]) -> Pairs:
    """(before, after) for each axis, from ONNX's list of all befores and then all afters."""
    half = len(flat) // 2
    if any(p < 0 for p in flat):
        raise Refused("its padding is negative")
    return tuple(zip(map(int, flat[:half]), map(int, flat[half:]), strict=True))


def convolution_pad(
    pairs: Pairs, spatial: Shape, extents: Sequence[int], strides: Sequence[int], facts: Facts
) -> Any:
    """The padding of a convolution, in a word (`"same"`) where pairs of unequal pads are that."""
    if any(before != after for before, after in pairs):
        for word in ("same", "same_lower"):
            if means(word, pairs, spatial, extents, strides, facts):
                return word
    return pads(pairs)


def means(
    word: str,
    pairs: Pairs,
    spatial: Shape,
    extents: Sequence[int],
    strides: Sequence[int],
    facts: Facts,
) -> bool:
    """Whether `pad=word` resolves to these pads."""
    try:
        return resolve_padding(word, spatial, tuple(extents), tuple(strides), facts) == pairs
    except ShapeError:
        return False


def spelled(
    word: str, spatial: Shape, extents: Sequence[int], strides: Sequence[int], facts: Facts
) -> Any:
    """`word` as a number of pixels where it is the same on both sides, else the word."""
    try:
        pairs = resolve_padding(word, spatial, tuple(extents), tuple(strides), facts)
    except ShapeError:
        return word
    return pads(pairs) if all(before == after for before, after in pairs) else word


def pooling_pad(
    pairs: Pairs,
    spatial: Shape,
    kernels: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    facts: Facts,
) -> tuple[Any, bool]:
    """The pad and `ceil` of a pooling whose padding never counts.

    Extra pixels after that do no more than complete the last window are `ceil=true`.
    """
    even = tuple((before, before) for before, _ in pairs)
    if even != pairs:
        try:
            window = Window(Extent(kernels), Extent(strides), even, Extent(dilations), ceil=True)
            axes = window.axes(spatial, facts)
        except ShapeError:
            axes = ()
        if axes and pairs == tuple((a.before, a.after + a.overhang) for a in axes):
            return pads(even), True
        extents = [d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True)]
        return convolution_pad(pairs, spatial, extents, strides, facts), False
    return pads(pairs), False
