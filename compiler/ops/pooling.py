"""Poolings: one number for each window of each channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import FLAG, Extent, arg, extent, whole
from compiler.ops.base import (
    Axis,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
)
from compiler.ops.checks import spatial_of
from compiler.ops.sizes import PADDING
from compiler.ops.windows import emit_pad, onnx_pads
from compiler.shapes import window_axes, window_output


class Pool(Op):
    """What the poolings share: a window for each channel by itself, stride = kernel by default."""

    kernel: int | Extent
    stride: int | Extent | None
    pad: Any
    ceil: bool
    dilation: int | Extent = 1  # a parameter of maxpool only

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        return window_axes(
            spatial,
            self.kernel,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
            ceil=self.ceil,
            facts=facts,
        )

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
                )
        return (inputs[0][0], *window_output(spatial, axes))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest value of each window; padding never wins."""

    name: ClassVar[str] = "maxpool"
    group: ClassVar[str] = "windows"

    kernel: int | Extent = arg(extent(1), doc="window size")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one tap to the next")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        shape = super().infer(inputs, facts)
        for size, least in self.conditions(inputs, facts):
            if isinstance(size, int) and size < least:
                raise ShapeError(
                    "E306",
                    "a padded pooling must not have a dilation larger than its input",
                    argument="dilation",
                    label=f"{least} pixels from tap to tap, but the input has {size}: "
                    "a window would see padding only",
                )
        return shape

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        axes = self.axes(spatial, facts)
        return tuple((s, a.dilation) for s, a in zip(spatial, axes, strict=True) if a.before)

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        x, pads = inputs[0], onnx_pads(axes)
        if any(pad >= axis.kernel for pad, axis in zip(pads, axes * 2, strict=True)):
            # ONNX Runtime takes pads below the kernel only, and forgets its dilation.
            x, pads = emit_pad(emit, x, pads, fill=-math.inf), [0] * len(pads)
        return emit.node(
            "MaxPool",
            x,
            kernel_shape=[a.kernel for a in axes],
            pads=pads,
            strides=[a.stride for a in axes],
            dilations=[a.dilation for a in axes],
        )


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window; `count_pad=false` divides by the pixels inside the input only.

    What `ceil=true` adds beyond the padding never counts.
    """

    name: ClassVar[str] = "avgpool"
    group: ClassVar[str] = "windows"

    kernel: int | Extent = arg(extent(1), doc="window size")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels of zeros added around the input")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")
    count_pad: bool = arg(FLAG, True, "padding counts in the mean")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        x = inputs[0]
        if self.count_pad:  # real zeros first; then only the overhang is left, which never counts
            x = emit_pad(emit, x, onnx_pads(axes, overhang=False))
            axes = tuple(Axis(a.kernel, a.stride, 1, 0, 0, a.overhang) for a in axes)
        return emit.node(
            "AveragePool",
            x,
            kernel_shape=[a.kernel for a in axes],
            strides=[a.stride for a in axes],
            pads=onnx_pads(axes),
        )


@dataclass(frozen=True)
class LpPool(Pool):
    """The p-norm of each window, (sum |x|^p)^(1/p)."""

    name: ClassVar[str] = "lppool"
    group: ClassVar[str] = "windows"

    kernel: int | Extent = arg(extent(1), doc="window size")
    p: int = arg(whole(1), 2, "order of the norm")
    stride: int | Extent | None = arg(
        extent(1), None, "pixels from one window to the next", default_text="kernel"
    )
    pad: Any = arg(PADDING, 0, "pixels of zeros added around the input")
    ceil: bool = arg(FLAG, False, "keep a last, partial window")

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        # Real zeros first, since a zero adds nothing to the sum: the pooling itself has no pads.
        x = emit_pad(emit, inputs[0], onnx_pads(axes))
        return emit.node(
            "LpPool",
            x,
            kernel_shape=[a.kernel for a in axes],
            p=self.p,
            strides=[a.stride for a in axes],
        )
