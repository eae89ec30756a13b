"""One fixed kernel on every channel by itself, as in image processing."""

from __future__ import annotations

from math import prod
from typing import Any

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import Extent, arg, choice, extent
from compiler.ops.arrays import KERNEL_VALUES, nested_map, nested_shape, nested_sum
from compiler.ops.base import Axis, Op, Reach, Shape, ShapeError, Shapes
from compiler.ops.shapes import channels_of, spatial_of
from compiler.ops.sizes import PADDING
from compiler.ops.windows import PAD_MODES, Window, border_conditions, check_border, window_output
from grammar.records import dataclass


class FixedKernel(Op):
    """What the two share: a window of the kernel's own size on each channel, nothing learnable."""

    kernel_values: Any

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        raise NotImplementedError

    def extent(self, spatial: Shape) -> Extent:
        """The kernel's size; raises E305 unless it has one nesting level for each axis."""
        kernel = Extent(nested_shape(self.kernel_values))
        if len(kernel) != len(spatial):
            raise ShapeError(
                "E305",
                f"the kernel has {len(kernel)} nesting levels, "
                f"but the input has {len(spatial)} spatial axes",
                argument="kernel_values",
            )
        return kernel

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        return (channels, *window_output(spatial, self.axes(spatial, facts)))

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return prod(nested_shape(self.kernel_values)) * prod(output)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))


@dataclass(frozen=True)
class Filter(FixedKernel, name="filter", group="windows"):
    """One fixed kernel applied to every channel by itself, as in image processing.

    It is not flipped: y[i, j] = sum of kernel[a, b] x[i + a, j + b].
    """

    kernel_values: Any = arg(KERNEL_VALUES, doc="the kernel, one nesting level a spatial axis")
    stride: int | Extent = arg(extent(1), 1, "pixels from one window to the next")
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    pad_mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        window = Window(self.extent(spatial), self.stride, self.pad, argument="kernel_values")
        return window.axes(spatial, facts)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        shape = super().infer(inputs, facts)
        check_border(self.pad_mode, inputs[0][1:], self.axes(inputs[0][1:], facts))
        return shape

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        return border_conditions(self.pad_mode, spatial, self.axes(spatial, facts))


@dataclass(frozen=True)
class WeightedPool(FixedKernel, name="weightedpool", group="windows"):
    """A weighted mean of each window, the weights normalised to sum 1; stride = window size."""

    kernel_values: Any = arg(KERNEL_VALUES, doc="the weights before normalisation")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="size"
    )

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        window = Window(self.extent(spatial), self.stride, argument="kernel_values")
        return window.axes(spatial, facts)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        total, sizes = (
            nested_sum(self.kernel_values),
            nested_sum(nested_map(abs, self.kernel_values)),
        )
        if abs(total) <= 1e-12 * sizes:
            raise ShapeError(
                "E306", "the weights of a pooling must not sum to 0", argument="kernel_values"
            )
        return super().infer(inputs, facts)
