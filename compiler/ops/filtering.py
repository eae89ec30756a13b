"""One fixed kernel on every channel, as in image processing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.dims import Size, product
from compiler.domain import Facts
from compiler.ops.arguments import (
    PADDING,
    Extent,
    arg,
    choice,
    extent,
)
from compiler.ops.arrays import (
    KERNEL_VALUES,
    nested_scale,
    nested_shape,
    nested_sum,
)
from compiler.ops.base import (
    Axis,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    Weight,
    channels_of,
    spatial_of,
)
from compiler.ops.windows import PAD_MODES, border_conditions, check_border, emit_pad, onnx_pads
from compiler.shapes import window_axes, window_output


@dataclass(frozen=True)
class Filter(Op):
    """One fixed kernel applied to every channel by itself, as in image processing."""

    name: ClassVar[str] = "filter"
    group: ClassVar[str] = "windows"

    kernel_values: Any = arg(KERNEL_VALUES, doc="the kernel, one nesting level a spatial axis")
    stride: int | Extent = arg(extent(1), 1, "pixels from one window to the next")
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    pad_mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        kernel = Extent(nested_shape(self.kernel_values))
        if len(kernel) != len(spatial):
            raise ShapeError(
                "E305",
                f"the kernel has {len(kernel)} nesting levels, "
                f"but the input has {len(spatial)} spatial axes",
                argument="kernel_values",
            )
        return window_axes(spatial, kernel, stride=self.stride, pad=self.pad, facts=facts)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        axes = self.axes(spatial, facts)
        check_border(self.pad_mode, spatial, axes)
        return (channels, *window_output(spatial, axes))

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return Weight("", nested_shape(self.kernel_values), "zero").size * product(output)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))

    def conditions(self, inputs: Shapes) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        return border_conditions(self.pad_mode, spatial, self.axes(spatial, Facts()))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        return emit_depthwise(emit, inputs[0], self.kernel_values, axes, PAD_MODES[self.pad_mode])


@dataclass(frozen=True)
class WeightedPool(Op):
    """A weighted mean of each window, the weights normalised to sum 1; stride = window size."""

    name: ClassVar[str] = "weightedpool"
    group: ClassVar[str] = "windows"

    kernel_values: Any = arg(KERNEL_VALUES, doc="the weights before normalisation")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="size"
    )

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        return window_axes(
            spatial, Extent(nested_shape(self.kernel_values)), stride=self.stride, facts=facts
        )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        if len(nested_shape(self.kernel_values)) != len(spatial):
            raise ShapeError(
                "E305",
                f"the weights have {len(nested_shape(self.kernel_values))} nesting levels, "
                f"but the input has {len(spatial)} spatial axes",
                argument="kernel_values",
            )
        if nested_sum(self.kernel_values) == 0:
            raise ShapeError(
                "E306", "the weights of a pooling must not sum to 0", argument="kernel_values"
            )
        channels = channels_of(inputs[0], self.name)
        return (channels, *window_output(spatial, self.axes(spatial, facts)))

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return Weight("", nested_shape(self.kernel_values), "zero").size * product(output)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        kernel = nested_scale(self.kernel_values, 1 / nested_sum(self.kernel_values))
        return emit_depthwise(emit, inputs[0], kernel, axes)


def emit_depthwise(
    emit: Emitter, x: str, kernel: Any, axes: tuple[Axis, ...], mode: str = "constant"
) -> str:
    """One constant kernel on each channel: a Conv with as many groups as channels."""
    channels = channels_of(emit.inputs[0], "filter")
    pads = onnx_pads(axes)
    if mode != "constant":
        x, pads = emit_pad(emit, x, pads, mode), [0] * len(pads)
    weight = emit.floats(((kernel,),) * channels)
    return emit.node(
        "Conv",
        x,
        weight,
        group=channels,
        kernel_shape=[a.kernel for a in axes],
        strides=[a.stride for a in axes],
        pads=pads,
    )
