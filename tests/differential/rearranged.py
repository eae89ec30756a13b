"""Arguments of the ops that put values elsewhere: other shapes, parts, other resolutions."""

from __future__ import annotations

from math import prod

from tests.differential import windowed
from tests.differential.pen import Pen
from tests.differential.scope import Extent
from tests.differential.sizes import Shape, Symbolic, channels_of, value_of
from tests.differential.windowed import MODES, Values, axes, divisor, maybe


def reshape(pen: Pen, shape: Shape) -> Values:
    """The factors of a known size in up to four parts, or symbolic axes merged."""
    if any(isinstance(size, Symbolic) for size in shape):
        return {"shape": [*shape[: pen.whole(0, len(shape) - 1)], -1]}
    left = prod(value_of(size) for size in shape)
    sizes = []
    for _ in range(pen.whole(0, 3)):
        sizes.append(divisor(pen, left))
        left //= sizes[-1]
    at = pen.whole(0, len(sizes))
    return {"shape": [*sizes[:at], pen.one((-1, left)), *sizes[at:]]}


def transpose(pen: Pen, shape: Shape) -> Values:
    """The axes in any order."""
    return {"order": pen.shuffled(range(len(shape)))}


def crop(pen: Pen, shape: Shape) -> Values:
    """A part of the map, in the centre or where it says; of a symbolic size all but some pixels."""
    values: Values = {}
    corner = pen.chance(2)
    for name, place, size in zip(("h", "w"), ("top", "left"), shape[1:], strict=False):
        less = pen.whole(0, min(3, value_of(size) - 1))
        symbolic = isinstance(size, Symbolic)
        values[name] = size - less if not symbolic or pen.chance(2) else value_of(size) - less
        if corner or (symbolic and isinstance(values[name], int)):
            values[place] = pen.whole(0, less)
    return values


def pad(pen: Pen, shape: Shape) -> Values:
    """Pixels around the map."""
    amount = windowed.padding(pen, len(shape) - 1, 2)
    values: Values = {"amount": 1 if isinstance(amount, str) else amount}
    maybe(pen, values, "mode", lambda: pen.one(MODES))
    return values


def upsample(pen: Pen, shape: Shape) -> Values:
    """A factor an axis."""
    values: Values = {"scale": axes(pen, len(shape) - 1, 1, 3)}
    maybe(pen, values, "mode", lambda: pen.one(("nearest", "bilinear")))
    return values


def resize(pen: Pen, shape: Shape) -> Values:
    """Any size near that of the map, any way of getting there."""
    rank = len(shape) - 1
    values: Values = {"size": axes(pen, rank, 1, 7)}
    maybe(pen, values, "mode", lambda: pen.one(("nearest", "linear", "cubic")))
    maybe(pen, values, "align", lambda: pen.one(("half_pixel", "corners", "asymmetric")))
    maybe(
        pen, values, "rounding", lambda: pen.one(("prefer_floor", "prefer_ceil", "floor", "ceil"))
    )
    if pen.chance(3) and all(isinstance(size, int) for size in shape[1:]):
        factors = [pen.one((0.75, 0.5, 1.5, 2.0, 1.0)) for _ in range(rank)]
        sizes = [
            int(value_of(size) * factor) for size, factor in zip(shape[1:], factors, strict=True)
        ]
        values |= {"size": Extent(sizes), "scale": factors}
    return values


def slice_(pen: Pen, shape: Shape) -> Values:
    """Some places of any axis, forwards or backwards."""
    axis = pen.whole(-len(shape), len(shape) - 1)
    most = value_of(shape[axis]) - 1
    values: Values = {"first": pen.whole(0, most), "last": pen.whole(0, most)}
    if values["first"] > values["last"] or pen.chance(3):
        sign = 1 if values["first"] <= values["last"] else -1
        values["step"] = sign * pen.whole(1, 2)
    if axis or pen.chance(2):
        values["axis"] = axis
    return values


def split(pen: Pen, shape: Shape) -> Values:
    """Two or three parts of any axis, equal or not; one of them."""
    axis = pen.whole(-len(shape), len(shape) - 1)
    size = shape[axis]
    values: Values = {"parts": pen.one((2, 3, 1))}
    if isinstance(size, int) and size > 1 and pen.chance(2):
        first = pen.whole(1, size - 1)
        values["parts"] = [first, size - first]
    values["part"] = pen.whole(0, count_of_parts(values["parts"]) - 1)
    if axis or pen.chance(2):
        values["axis"] = axis
    return values


def count_of_parts(parts: int | list[int]) -> int:
    """How many parts a split makes."""
    return parts if isinstance(parts, int) else len(parts)


def channels(pen: Pen, shape: Shape) -> Values:
    """A range of channels."""
    first = pen.whole(0, channels_of(shape) - 1)
    return {"first": first, "last": pen.whole(first, channels_of(shape) - 1)}


def pad_channels(pen: Pen, shape: Shape) -> Values:
    """A few channels of zeros."""
    return {"before": pen.whole(0, 2), "after": pen.whole(0, 2)}


def channel_shuffle(pen: Pen, shape: Shape) -> Values:
    """A divisor of the channels."""
    return {"groups": divisor(pen, channels_of(shape))}


def pixel_shuffle(pen: Pen, shape: Shape) -> Values:
    """A number whose square divides the channels."""
    return {"r": pen.one([r for r in (2, 1) if channels_of(shape) % r**2 == 0])}


def pixel_unshuffle(pen: Pen, shape: Shape) -> Values:
    """A number that may divide the sizes."""
    return {"r": pen.one((2, 1, 3))}
