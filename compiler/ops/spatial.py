"""Ops that crop, pad or enlarge a map along its spatial axes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, choice, extent, whole
from compiler.ops.base import (
    Axis,
    Op,
    Reach,
    Sampling,
    Shape,
    ShapeError,
    Shapes,
)
from compiler.ops.checks import check_map, spatial_of
from compiler.ops.shapes import per_axis
from compiler.ops.sizes import PADDING, PADDING_WORDS, SIZE
from compiler.ops.windows import (
    PAD_MODES,
    border_conditions,
    check_border,
    resolve_padding,
)
from grammar.records import dataclass

LAST = 2**62  # "to the end" in an ONNX Slice


@dataclass(frozen=True)
class Crop(Op):
    """A window of h x w pixels: the centre, or from row `top` and column `left` on."""

    name: ClassVar[str] = "crop"
    group: ClassVar[str] = "shape"

    h: Any = arg(SIZE, doc="height of what stays")
    w: Any = arg(SIZE, doc="width of what stays")
    top: int | None = arg(whole(0), None, "first row", default_text="centred")
    left: int | None = arg(whole(0), None, "first column", default_text="centred")

    def spans(self, shape: Shape, facts: Facts) -> tuple[tuple[int, int], tuple[int, int]]:
        """(start, end) of what stays along height and width; raises E306, E307."""
        return (
            span(shape[1], self.h, self.top, ("h", "top"), facts),
            span(shape[2], self.w, self.left, ("w", "left"), facts),
        )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_map(inputs[0], self.name)
        self.spans(inputs[0], facts)
        return (inputs[0][0], self.h, self.w)

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        kept = zip(inputs[0][1:], (self.h, self.w), self.spans(inputs[0], facts), strict=True)
        return tuple((size - keep - start, 0) for size, keep, (start, _) in kept)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        spans = self.spans(inputs[0], facts)
        return Reach("window", tuple(Axis(1, before=-start) for start, _ in spans))


def span(
    size: Size, keep: Size, place: int | None, names: tuple[str, str], facts: Facts
) -> tuple[int, int]:
    """(start, end) of `keep` of `size` pixels, from `place` on or centred, as a slice takes them.

    The end of a symbolic `keep` counts from the far side, so that a crop by a constant works for
    every size. `names` are what the op calls `keep` and `place`. Raises E306 outside the input,
    E307 when the span depends on a symbolic size.
    """
    start = facts.simplify((size - keep) // 2) if place is None else place
    if isinstance(start, Dim):
        raise ShapeError(
            "E307",
            "the centre depends on a symbolic size",
            argument=names[0],
            label=f"it would begin at {start}",
            help="say where: crop(h, w, top, left)",
        )
    after = facts.simplify(size - keep - start)
    if start < 0 or facts.decide(after, ">=", 0) is False:
        alone = place is not None and facts.decide(keep, "<=", size) is not False
        raise ShapeError(
            "E306",
            "the crop must lie inside its input",
            argument=names[1] if alone else names[0],
            label=f"{keep} pixels{'' if place is None else f' from {place}'}, "
            f"but the input has {size}",
        )
    if isinstance(keep, int):
        return start, start + keep
    if isinstance(after, Dim):
        raise ShapeError(
            "E307",
            "the end of the crop depends on a symbolic size",
            argument=names[0],
            label=f"{after} pixels would be left after it",
        )
    return start, -after or LAST


@dataclass(frozen=True)
class Pad(Op):
    """Adds pixels around the map: zeros, the edge repeated, or the inside mirrored."""

    name: ClassVar[str] = "pad"
    group: ClassVar[str] = "shape"

    amount: Any = arg(PADDING, doc="pixels a side: a number, a size, or (before, after) pairs")
    mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """A 1-pixel window with the padding along each axis."""
        ones = (1,) * len(spatial)
        pairs = resolve_padding(self.amount, spatial, ones, ones, facts, argument="amount")
        return tuple(Axis(1, before=before, after=after) for before, after in pairs)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if self.amount in PADDING_WORDS:
            raise ShapeError(
                "E306",
                "pad needs a number of pixels",
                argument="amount",
                help='words such as "same" belong to conv and the poolings',
            )
        spatial = spatial_of(inputs[0], self.name)
        axes = self.axes(spatial, facts)
        check_border(self.mode, spatial, axes, argument="amount", mode_argument="mode")
        return (inputs[0][0], *(s + a.before + a.after for s, a in zip(spatial, axes, strict=True)))

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        return border_conditions(self.mode, inputs[0][1:], self.axes(inputs[0][1:], facts))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))


@dataclass(frozen=True)
class Upsample(Op):
    """Enlarges the map by a whole factor, repeating pixels or interpolating between them.

    "bilinear" is linear along every axis, pixel centres at half (PyTorch's align_corners=False).
    """

    name: ClassVar[str] = "upsample"
    group: ClassVar[str] = "shape"

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
