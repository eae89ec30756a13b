"""Ops that crop, pad or enlarge a map along its spatial axes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, choice, extent, whole
from compiler.ops.base import EVERYWHERE, Axis, Op, Reach, Sampling, Shape, ShapeError, Shapes
from compiler.ops.shapes import check_map, per_axis, spatial_of
from compiler.ops.sizes import AMOUNT, PADDING_WORDS, SIZE
from compiler.ops.windows import (
    BORDER_LIMITS,
    PAD_MODES,
    border_conditions,
    check_border,
    resolve_padding,
)
from grammar.records import dataclass


@dataclass(frozen=True)
class Crop(Op, name="crop", group="shape"):
    """A window of h x w pixels: the centre, or from row `top` and column `left` on."""

    h: Any = arg(SIZE, doc="height of what stays")
    w: Any = arg(SIZE, doc="width of what stays")
    top: int | None = arg(whole(0), None, "first row", default_text="centred")
    left: int | None = arg(whole(0), None, "first column", default_text="centred")

    def starts(self, shape: Shape, facts: Facts) -> tuple[Size, Size]:
        """The first row and column of what stays; raises E306."""
        return (
            start(shape[1], self.h, self.top, ("h", "top"), facts),
            start(shape[2], self.w, self.left, ("w", "left"), facts),
        )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_map(inputs[0], self.name)
        self.starts(inputs[0], facts)
        return (inputs[0][0], self.h, self.w)

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        kept = zip(inputs[0][1:], (self.h, self.w), (self.top, self.left), strict=True)
        return tuple((size - keep - (place or 0), 0) for size, keep, place in kept)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        starts = self.starts(inputs[0], facts)
        if any(isinstance(start, Dim) for start in starts):
            return EVERYWHERE
        return Reach("window", tuple(Axis(1, before=-s) for s in starts if isinstance(s, int)))


def start(size: Size, keep: Size, place: int | None, names: tuple[str, str], facts: Facts) -> Size:
    """Where `keep` of `size` pixels begin, at `place` or centred; raises E306 outside the input.

    `names` are what the op calls `keep` and `place`.
    """
    first = facts.simplify((size - keep) // 2) if place is None else place
    after = facts.simplify(size - keep - first)
    if facts.decide(first, ">=", 0) is False or facts.decide(after, ">=", 0) is False:
        alone = place is not None and facts.decide(keep, "<=", size) is not False
        raise ShapeError(
            "E306",
            "the crop must lie inside its input",
            argument=names[1] if alone else names[0],
            label=f"{keep} pixels{'' if place is None else f' from {place}'}, "
            f"but the input has {size}",
        )
    return first


@dataclass(frozen=True)
class Pad(Op, name="pad", group="shape"):
    """Adds pixels around the map: zeros, the edge repeated, or the inside mirrored."""

    amount: Any = arg(AMOUNT, doc="pixels a side: a number, a size, or (before, after) pairs")
    mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")

    def pairs(self, spatial: Shape, facts: Facts) -> tuple[tuple[Size, Size], ...]:
        """The pixels (before, after) along each axis."""
        ones = (1,) * len(spatial)
        return resolve_padding(self.amount, spatial, ones, ones, facts, argument="amount")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...] | None:
        """A 1-pixel window with the padding along each axis; None where some is symbolic."""
        found = []
        for before, after in self.pairs(spatial, facts):
            if isinstance(before, Dim) or isinstance(after, Dim):
                return None
            found.append(Axis(1, before=before, after=after))
        return tuple(found)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if self.amount in PADDING_WORDS:
            raise ShapeError(
                "E306",
                "pad needs a number of pixels",
                argument="amount",
                help='words such as "same" belong to conv and the poolings',
            )
        spatial = spatial_of(inputs[0], self.name)
        pairs = self.pairs(spatial, facts)
        axes = self.axes(spatial, facts)
        if axes is not None:
            check_border(self.mode, spatial, axes, argument="amount", mode_argument="mode")
        for side in (side for pair in pairs for side in pair):
            if facts.decide(side, ">=", 0) is False:
                raise ShapeError(
                    "E306", "a pad is at least 0", argument="amount", label=f"{side} is below 0"
                )
        return (inputs[0][0], *(s + b + a for s, (b, a) in zip(spatial, pairs, strict=True)))

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        axes = self.axes(spatial, facts)
        if axes is not None:
            return border_conditions(self.mode, spatial, axes)
        found: list[tuple[Size, int]] = []
        for size, pair in zip(spatial, self.pairs(spatial, facts), strict=True):
            found += [(side, 0) for side in pair if isinstance(side, Dim)]
            if self.mode in BORDER_LIMITS:
                found += [(size - side, BORDER_LIMITS[self.mode]) for side in pair]
        return tuple(found)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        axes = self.axes(inputs[0][1:], facts)
        return EVERYWHERE if axes is None else Reach("window", axes)


@dataclass(frozen=True)
class Upsample(Op, name="upsample", group="shape"):
    """Enlarges the map by a whole factor, repeating pixels or interpolating between them.

    "bilinear" is linear along every axis, pixel centres at half (PyTorch's align_corners=False).
    """

    scale: int | Extent = arg(extent(1), doc="the factor, or one for each axis as 2x1")
    mode: str = arg(choice("nearest", "bilinear"), "nearest", "how pixels in between come about")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        scales = per_axis(self.scale, len(spatial), "scale")
        return (inputs[0][0], *(s * f for s, f in zip(spatial, scales, strict=True)))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        ratios = [Fraction(1, f) for f in per_axis(self.scale, len(inputs[0]) - 1, "scale")]
        if self.mode == "nearest":
            return Reach("sampled", samplings=tuple(map(Sampling, ratios)))
        places = [Sampling(ratio, (ratio - 1) / 2, "linear") for ratio in ratios]
        return Reach("sampled", samplings=tuple(places))
