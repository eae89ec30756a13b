"""Ops that move or repeat values without computing new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.dims import Dim, Size, product
from compiler.domain import Facts
from compiler.ops.arguments import (
    PADDING,
    PADDING_WORDS,
    PERMUTATION,
    SIZE,
    SIZES,
    Extent,
    arg,
    choice,
    extent,
    whole,
)
from compiler.ops.base import (
    EVERYWHERE,
    Axis,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    channels_of,
    show_shape,
    spatial_of,
)
from compiler.ops.windows import (
    PAD_MODES,
    border_conditions,
    check_border,
    emit_pad,
    onnx_pads,
)
from compiler.shapes import per_axis, resolve_padding

LAST = 2**62  # "to the end" in an ONNX Slice


def emit_slice(emit: Emitter, x: str, starts: list[int], ends: list[int], axes: list[int]) -> str:
    """An ONNX Slice along per-tensor axes (the batch is axis 0)."""
    return emit.node("Slice", x, emit.ints(starts), emit.ints(ends), emit.ints(axes))


@dataclass(frozen=True)
class Flatten(Op):
    """All values of a sample as one vector, the last axis running fastest."""

    name: ClassVar[str] = "flatten"
    group: ClassVar[str] = "shape"

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return (product(inputs[0]),)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Flatten", inputs[0], axis=1)


@dataclass(frozen=True)
class Reshape(Op):
    """The same values in the same order under another shape; -1 stands for what is left over."""

    name: ClassVar[str] = "reshape"
    group: ClassVar[str] = "shape"

    shape: Any = arg(SIZES, doc="the sizes of a sample, channels first")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        total = product(inputs[0])
        rest = product(size for size in self.shape if size != -1)
        shape: list[Size] = list(self.shape)
        if -1 in shape:
            left = facts.simplify(total // rest) if isinstance(rest, int) else None
            if left is None or not facts.equal(left * rest, total):
                raise ShapeError(
                    "E301",
                    "reshape keeps the number of values",
                    argument="shape",
                    label=f"{total} values do not divide by {rest}",
                )
            shape[shape.index(-1)] = left
        elif not facts.equal(total, rest):
            raise ShapeError(
                "E301",
                "reshape keeps the number of values",
                argument="shape",
                label=f"{rest} values, but the input has {total}",
            )
        if len(shape) > 4:
            raise ShapeError("E305", "a tensor has 1 to 4 sizes", argument="shape")
        return tuple(shape)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        given = emit.inputs[0]
        sizes: list[int] = [0]
        for index, size in enumerate(emit.output):
            if isinstance(size, int):
                sizes.append(size)
            elif index < len(given) and emit.facts.equal(given[index], size):
                sizes.append(0)
            elif -1 not in sizes:
                sizes.append(-1)
            else:
                raise ShapeError("E307", "reshape to several symbolic sizes has no ONNX form")
        return emit.node("Reshape", inputs[0], emit.ints(sizes))


@dataclass(frozen=True)
class Transpose(Op):
    """The axes of a sample in another order, 0 being the channels."""

    name: ClassVar[str] = "transpose"
    group: ClassVar[str] = "shape"

    order: Any = arg(PERMUTATION, doc="for each new axis the old one, as [1, 0, 2]")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(self.order) != len(inputs[0]):
            raise ShapeError(
                "E305",
                "transpose names every axis once",
                argument="order",
                label=f"{len(self.order)} axes, but the input "
                f"{show_shape(inputs[0])} has {len(inputs[0])}",
            )
        return tuple(inputs[0][axis] for axis in self.order)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Transpose", inputs[0], perm=[0, *(axis + 1 for axis in self.order)])


@dataclass(frozen=True)
class Crop(Op):
    """A window of h x w pixels: the centre, or from row `top` and column `left` on."""

    name: ClassVar[str] = "crop"
    group: ClassVar[str] = "shape"

    h: Any = arg(SIZE, doc="height of what stays")
    w: Any = arg(SIZE, doc="width of what stays")
    top: int | None = arg(whole(0), None, "first row", default_text="centred")
    left: int | None = arg(whole(0), None, "first column", default_text="centred")

    def offsets(self, shape: Shape, facts: Facts) -> tuple[int, int]:
        """First row and column; raises E307 when they depend on a symbolic size."""
        found = []
        for size, keep, given in zip(
            shape[1:], (self.h, self.w), (self.top, self.left), strict=True
        ):
            start = facts.simplify((size - keep) // 2) if given is None else given
            if isinstance(start, Dim):
                raise ShapeError(
                    "E307",
                    "the centre depends on a symbolic size",
                    argument="h",
                    label=f"it would begin at {start}",
                    help="say where: crop(h, w, top, left)",
                )
            found.append(start)
        return found[0], found[1]

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError(
                "E305",
                "crop takes a map with height and width",
                label=f"the input is {show_shape(inputs[0])}",
            )
        starts = self.offsets(inputs[0], facts)
        for size, keep, start in zip(inputs[0][1:], (self.h, self.w), starts, strict=True):
            if start < 0 or facts.decide(start + keep, "<=", size) is False:
                raise ShapeError(
                    "E306",
                    "the crop must lie inside its input",
                    argument="h",
                    label=f"{keep} pixels from {start}, but the input has {size}",
                )
        return (inputs[0][0], self.h, self.w)

    def conditions(self, inputs: Shapes) -> tuple[tuple[Size, int], ...]:
        starts = self.offsets(inputs[0], Facts())
        return tuple(
            (size - start - keep + 1, 1)
            for size, keep, start in zip(inputs[0][1:], (self.h, self.w), starts, strict=True)
        )

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach(
            "window", tuple(Axis(1, before=-start) for start in self.offsets(inputs[0], facts))
        )

    def lower(self, emit: Emitter, *inputs: str) -> str:
        starts = self.offsets(emit.inputs[0], emit.facts)
        ends = []
        for size, keep, start in zip(emit.inputs[0][1:], (self.h, self.w), starts, strict=True):
            end = keep + start
            if isinstance(end, Dim):  # counted from the far side, where it is a known number
                rest = emit.facts.simplify(size - end)
                if isinstance(rest, Dim):
                    raise ShapeError("E307", "this crop's end is not known", argument="h")
                end = LAST if rest == 0 else -rest
            ends.append(end)
        return emit_slice(emit, inputs[0], list(starts), ends, [2, 3])


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
        pairs = resolve_padding(self.amount, spatial, ones, ones, facts)
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
        check_border(self.mode, spatial, axes)
        return (inputs[0][0], *(s + a.before + a.after for s, a in zip(spatial, axes, strict=True)))

    def conditions(self, inputs: Shapes) -> tuple[tuple[Size, int], ...]:
        return border_conditions(self.mode, inputs[0][1:], self.axes(inputs[0][1:], Facts()))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        return emit_pad(emit, inputs[0], onnx_pads(axes), PAD_MODES[self.mode])


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
        kernel = 1 if self.mode == "nearest" else 2
        scales = per_axis(self.scale, len(inputs[0]) - 1, "scale")
        return Reach("resample", tuple(Axis(kernel, factor) for factor in scales))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        scales = emit.floats([1, 1, *per_axis(self.scale, len(emit.output) - 1, "scale")])
        if self.mode == "nearest":
            return emit.node(
                "Resize",
                inputs[0],
                "",
                scales,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        return emit.node(
            "Resize",
            inputs[0],
            "",
            scales,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )


@dataclass(frozen=True)
class Channels(Op):
    """The channels from `first` to `last`, both included."""

    name: ClassVar[str] = "channels"
    group: ClassVar[str] = "shape"

    first: int = arg(whole(0), doc="the first channel, counted from 0")
    last: int = arg(whole(0), doc="the last channel, itself included")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        count = channels_of(inputs[0], self.name)
        if not self.first <= self.last < count:
            raise ShapeError(
                "E306",
                "a channel range lies inside the input's channels",
                argument="last" if self.first <= self.last else "first",
                label=f"{self.first} to {self.last}, but the channels are 0 to {count - 1}",
            )
        return (self.last - self.first + 1, *inputs[0][1:])

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit_slice(emit, inputs[0], [self.first], [self.last + 1], [1])


@dataclass(frozen=True)
class PadChannels(Op):
    """Adds channels of zeros before and after: the parameter-free shortcut of He et al. 2015."""

    name: ClassVar[str] = "pad_channels"
    group: ClassVar[str] = "shape"

    before: int = arg(whole(0), doc="channels of zeros in front")
    after: int = arg(whole(0), doc="channels of zeros behind")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return (channels_of(inputs[0], self.name) + self.before + self.after, *inputs[0][1:])

    def lower(self, emit: Emitter, *inputs: str) -> str:
        rest = [0] * (len(emit.output) - 1)
        pads = emit.ints([0, self.before, *rest, 0, self.after, *rest])
        return emit.node("Pad", inputs[0], pads, mode="constant")


@dataclass(frozen=True)
class ChannelShuffle(Op):
    """Deals the channels of each group out to all groups (ShuffleNet, Zhang et al. 2017)."""

    name: ClassVar[str] = "channel_shuffle"
    group: ClassVar[str] = "shape"

    groups: int = arg(whole(1), doc="how many groups of channels")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        channels = channels_of(inputs[0], self.name)
        if channels % self.groups:
            raise ShapeError(
                "E303",
                "groups must divide the channels",
                argument="groups",
                label=f"{channels} channels do not divide into {self.groups} groups",
            )
        return inputs[0]

    def lower(self, emit: Emitter, *inputs: str) -> str:
        each = channels_of(emit.inputs[0], self.name) // self.groups
        split = emit.node("Reshape", inputs[0], emit.ints([0, self.groups, each, -1]))
        dealt = emit.node("Transpose", split, perm=[0, 2, 1, 3])
        return emit.node("Reshape", dealt, emit.node("Shape", inputs[0]))


@dataclass(frozen=True)
class PixelShuffle(Op):
    """r*r channels become r x r pixels of one (sub-pixel convolution, Shi et al. 2016)."""

    name: ClassVar[str] = "pixel_shuffle"
    group: ClassVar[str] = "shape"

    r: int = arg(whole(1), doc="by how much height and width grow")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError(
                "E305",
                "pixel_shuffle takes a map with height and width",
                label=f"the input is {show_shape(inputs[0])}",
            )
        channels = channels_of(inputs[0], self.name)
        if channels % self.r**2:
            raise ShapeError(
                "E303",
                "pixel_shuffle needs a multiple of r*r channels",
                argument="r",
                label=f"{channels} is no multiple of {self.r**2}",
            )
        return (channels // self.r**2, *(size * self.r for size in inputs[0][1:]))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("resample", (Axis(1, self.r), Axis(1, self.r)))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("DepthToSpace", inputs[0], blocksize=self.r, mode="CRD")
