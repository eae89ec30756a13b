"""Arguments of the ops that slide a window, drawn for an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.differential.pen import Pen
from tests.differential.scope import Extent
from tests.differential.sizes import Shape, Symbolic, value_of
from tests.differential.windows import each_axis

Values = dict[str, Any]

SPATIAL_NAMES = """
conv deconv filter weightedpool maxpool avgpool lppool adaptive_avgpool pad upsample crop
resize pixel_shuffle pixel_unshuffle
"""
SPATIAL = frozenset(SPATIAL_NAMES.split())
LARGEST_KERNEL = {1: 5, 2: 4, 3: 3}
MODES = ("zero", "replicate", "reflect", "circular")
INITS = ("he", "xavier", "lecun", "zero", "normal(0.25)", "constant(0.125)")
WEIGHTS = (0.5, -0.25, 1.0, 0.0, -1.0, 0.75, 2.0)
MOST_FIXED = 48  # numbers of a weight that the definition fixes


def axes(pen: Pen, rank: int, least: int, most: int) -> int | Extent:
    """One number for all axes, or one for each."""
    if rank and pen.chance(3):
        return Extent(pen.each(least, most, rank))
    return pen.whole(least, most)


def padding(pen: Pen, rank: int, most: int) -> Any:
    """Any form of `pad`: a number, a size, pairs, a word."""
    form = pen.one(("number", "word", "pairs", "word", "size"))
    if form == "word":
        return pen.one(("half", "same", "valid", "same_lower"))
    if form == "pairs":
        return [tuple(pen.each(0, most, 2)) for _ in range(rank)]
    if form == "size":
        return Extent(pen.each(0, most, rank))
    return pen.whole(0, most)


def kernel_for(pen: Pen, shape: Shape, room: int = 0) -> int | Extent:
    """A kernel that mostly fits a map with so much padding."""
    rank = len(shape) - 1
    smallest = min((value_of(size) for size in shape[1:]), default=1)
    return axes(pen, rank, 1, min(LARGEST_KERNEL[rank], smallest + room))


def divisor(pen: Pen, *counts: int) -> int:
    """A common divisor."""
    return pen.one([d for d in range(1, min(counts) + 1) if all(c % d == 0 for c in counts)])


def maybe(pen: Pen, values: Values, name: str, value: Any) -> None:
    """Give a parameter in two of three cases."""
    if not pen.chance(3):
        values[name] = value() if callable(value) else value


def fixed(pen: Pen, shape: Sequence[int]) -> Any:
    """Nested lists of simple numbers."""
    if not shape:
        return pen.one(WEIGHTS)
    return [fixed(pen, shape[1:]) for _ in range(shape[0])]


def geometry(pen: Pen, shape: Shape, values: Values, *, dilated: bool = True) -> None:
    """Kernel, stride, padding and dilation."""
    rank = len(shape) - 1
    values["kernel"] = kernel_for(pen, shape, room=2)
    maybe(pen, values, "stride", lambda: axes(pen, rank, 1, 3))
    maybe(pen, values, "pad", lambda: padding(pen, rank, 2))
    if dilated:
        maybe(pen, values, "dilation", lambda: axes(pen, rank, 1, 2))


def conv(pen: Pen, shape: Shape) -> Values:
    """Arguments of a convolution."""
    channels = pen.one((4, 1, 2, 3, 6))
    values: Values = {"channels": channels}
    geometry(pen, shape, values)
    maybe(pen, values, "pad_mode", lambda: pen.one((*MODES, "reflect")))
    return learned(pen, shape, values)


def learned(pen: Pen, shape: Shape, values: Values) -> Values:
    """Groups, bias and the start of the weight, of conv and deconv."""
    channels = values["channels"]
    count = 1 if isinstance(shape[0], Symbolic) else shape[0]
    maybe(pen, values, "groups", lambda: divisor(pen, count, channels))
    maybe(pen, values, "bias", lambda: pen.chance(2))
    maybe(pen, values, "init", lambda: pen.one(INITS))
    if pen.chance(4):
        groups = values.get("groups", 1)
        kernel = each_axis(values["kernel"], len(shape) - 1)
        pair = (count, channels // groups) if "output_pad" in values else None
        size = [*(pair or (channels, count // groups)), *kernel]
        total = 1
        for number in size:
            total *= number
        if total <= MOST_FIXED:
            values["weight"] = fixed(pen, size)
    return values


def deconv(pen: Pen, shape: Shape) -> Values:
    """Arguments of a transposed convolution."""
    rank = len(shape) - 1
    values: Values = {"channels": pen.one((2, 1, 3, 4))}
    geometry(pen, shape, values)
    stride = values.get("stride", 1)
    if pen.chance(2):
        most = [s - 1 for s in each_axis(stride, rank)]
        values["output_pad"] = Extent(pen.whole(0, m) for m in most)
        if len(set(most)) == 1 and pen.chance(2):
            values["output_pad"] = pen.whole(0, most[0])
    else:
        values["output_pad"] = 0
    return learned(pen, shape, values)


def filter_(pen: Pen, shape: Shape) -> Values:
    """Arguments of a fixed kernel."""
    rank = len(shape) - 1
    kernel = each_axis(kernel_for(pen, shape, room=1), rank)
    values: Values = {"kernel_values": fixed(pen, kernel)}
    maybe(pen, values, "stride", lambda: axes(pen, rank, 1, 3))
    maybe(pen, values, "pad", lambda: padding(pen, rank, 2))
    maybe(pen, values, "pad_mode", lambda: pen.one((*MODES, "reflect")))
    return values


def weightedpool(pen: Pen, shape: Shape) -> Values:
    """Arguments of a weighted mean; its weights are positive, so that their sum is far from 0."""
    rank = len(shape) - 1

    def weights(sizes: Sequence[int]) -> Any:
        if not sizes:
            return pen.one((1, 2, 0.5, 0.25))
        return [weights(sizes[1:]) for _ in range(sizes[0])]

    values: Values = {"kernel_values": weights(each_axis(kernel_for(pen, shape), rank))}
    maybe(pen, values, "stride", lambda: axes(pen, rank, 1, 3))
    return values


def pool(pen: Pen, shape: Shape) -> Values:
    """Arguments of any pooling."""
    rank = len(shape) - 1
    values: Values = {"kernel": kernel_for(pen, shape)}
    maybe(pen, values, "stride", lambda: axes(pen, rank, 1, 3))
    maybe(pen, values, "pad", lambda: padding(pen, rank, 1))
    maybe(pen, values, "ceil", lambda: pen.chance(2))
    maybe(pen, values, "dilation", lambda: axes(pen, rank, 1, 2))
    return values


def avgpool(pen: Pen, shape: Shape) -> Values:
    """Arguments of a mean."""
    values = pool(pen, shape)
    maybe(pen, values, "count_pad", lambda: pen.chance(2))
    return values


def lppool(pen: Pen, shape: Shape) -> Values:
    """Arguments of a norm."""
    values = pool(pen, shape)
    maybe(pen, values, "p", lambda: pen.whole(1, 4))
    return values
