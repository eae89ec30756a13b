"""Poolings: one number for each window of each channel."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import FLAG, Extent, arg, extent, whole
from compiler.ops.base import Axis, Op, Reach, Shape, ShapeError, Shapes
from compiler.ops.shapes import channels_of, spatial_of
from compiler.ops.sizes import PADDING
from compiler.ops.windows import Window, window_output
from grammar.diagnostics import NewArgument, Remedy
from grammar.records import dataclass

# Of a number below 0.004 or above 256 the 16th power is beyond float32, and what is made of it then
# depends on who computes it.
LARGEST_ORDER = 16


class Pool(Op):
    """What the poolings share: a window for each channel by itself, stride = kernel by default."""

    kernel: int | Extent
    stride: int | Extent | None
    pad: Any
    ceil: bool
    dilation: int | Extent

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        window = Window(self.kernel, self.stride, self.pad, self.dilation, self.ceil)
        return window.axes(spatial, facts)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        axes = self.axes(spatial, facts)
        for axis in axes:
            if max(axis.before, axis.after) >= axis.extent:
                raise ShapeError(
                    "E306",
                    "the padding of a pooling must be smaller than its kernel",
                    argument="pad",
                    label=f"{max(axis.before, axis.after)} pixels for a kernel of {axis.extent}: "
                    "a window would see padding only",
                    help=Remedy(
                        f"pad at most {axis.extent - 1}, or enlarge the kernel",
                        (NewArgument("pad", axis.extent - 1),),
                    ),
                )
        for size, least in self.conditions(inputs, facts):
            if isinstance(size, int) and size < least:
                raise ShapeError(
                    "E306",
                    "a padded pooling must not have a dilation larger than its input",
                    argument="dilation",
                    label=f"{least} pixels from tap to tap, but the input has {size}: "
                    "a window would see padding only",
                )
        return (inputs[0][0], *window_output(spatial, axes))

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        axes = self.axes(spatial, facts)
        return tuple((s, a.dilation) for s, a in zip(spatial, axes, strict=True) if a.before)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))


@dataclass(frozen=True)
class MaxPool(Pool, name="maxpool", group="windows"):
    """The largest value of each window; padding never wins."""

    kernel: int | Extent = arg(extent(1), doc="window size")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one tap to the next")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")


@dataclass(frozen=True)
class AvgPool(Pool, name="avgpool", group="windows"):
    """The mean of each window; `count_pad=false` divides by the pixels inside the input only.

    What `ceil=true` adds beyond the padding never counts.
    """

    in_float32: ClassVar[bool] = True

    kernel: int | Extent = arg(extent(1), doc="window size")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels of zeros added around the input")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")
    count_pad: bool = arg(FLAG, True, "padding counts in the mean")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one tap to the next")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        shape = super().infer(inputs, facts)
        spatial = inputs[0][1:]
        check_summed(self, inputs[0], facts)
        for size, axis in zip(spatial, self.axes(spatial, facts), strict=True):
            if axis.dilation > 1:
                tap_counts(size, axis, self.count_pad)
        return shape


@dataclass(frozen=True)
class LpPool(Pool, name="lppool", group="windows"):
    """The p-norm of each window, (sum |x|^p)^(1/p)."""

    in_float32: ClassVar[bool] = True

    kernel: int | Extent = arg(extent(1), doc="window size")
    p: int = arg(whole(1, LARGEST_ORDER), 2, f"order of the norm, at most {LARGEST_ORDER}")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels of zeros added around the input")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one tap to the next")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        shape = super().infer(inputs, facts)
        check_summed(self, inputs[0], facts)
        return shape


def check_summed(pool: AvgPool | LpPool, shape: Shape, facts: Facts) -> None:
    """A dilated sum is a convolution, which must know its channels (E307)."""
    if any(axis.dilation > 1 for axis in pool.axes(shape[1:], facts)):
        channels_of(shape, f"a dilated {pool.name}")


def tap_counts(size: Size, axis: Axis, count_pad: bool) -> list[int]:
    """How many taps of each window along an axis count; one number when all windows are alike."""
    padded = axis.before or axis.after
    if not axis.overhang and (count_pad or not padded):
        return [axis.kernel]
    if not isinstance(size, int):
        raise ShapeError(
            "E307",
            "a dilated mean over a symbolic size must count its padding",
            argument="dilation",
            help="use count_pad=true without ceil, or fix the input's size",
        )
    low = -axis.before if count_pad else 0
    high = size + (axis.after if count_pad else 0)
    count = (size + axis.before + axis.after + axis.overhang - axis.extent) // axis.stride + 1
    starts = (place * axis.stride - axis.before for place in range(count))
    taps = range(axis.kernel)
    return [sum(low <= start + tap * axis.dilation < high for tap in taps) for start in starts]
