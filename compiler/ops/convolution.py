"""Convolutions with learned kernels."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import FLAG, Extent, arg, choice, extent, init_argument, whole
from compiler.ops.arrays import FIXED_VALUES
from compiler.ops.base import Axis, Op, Reach, Shape, ShapeError, Shapes, Weight
from compiler.ops.shapes import channels_of, check_fixed, check_groups, per_axis, spatial_of
from compiler.ops.sizes import PADDING
from compiler.ops.windows import (
    PAD_MODES,
    Window,
    border_conditions,
    check_border,
    resolve_padding,
    transposed_output,
    window_output,
)
from grammar.diagnostics import NewArgument, Remedy
from grammar.records import dataclass


@dataclass(frozen=True)
class Conv(Op, name="conv", group="windows"):
    """Convolution (cross-correlation) of 1, 2 or 3 spatial axes.

    Every output channel is a sum of windows over the input channels of its group plus a bias.
    """

    holds_weights: ClassVar[bool] = True

    channels: int = arg(whole(1), doc="output channels")
    kernel: int | Extent = arg(extent(1), doc="kernel size")
    stride: int | Extent = arg(extent(1), 1, "pixels from one window to the next")
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    pad_mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one kernel tap to the next")
    groups: int = arg(whole(1), 1, "independent groups of channels")
    bias: bool = arg(FLAG, True, "add a learnable number to each output channel")
    init: str = init_argument()
    weight: Any = arg(FIXED_VALUES, None, "fixed values of the weight", default_text="learned")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        return Window(self.kernel, self.stride, self.pad, self.dilation).axes(spatial, facts)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        check_groups(self.groups, input=channels, output=self.channels)
        axes = self.axes(spatial, facts)
        check_border(self.pad_mode, spatial, axes)
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (self.channels, *window_output(spatial, axes))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        kernel = per_axis(self.kernel, len(inputs[0]) - 1, "kernel")
        shape = (self.channels, channels_of(inputs[0], self.name) // self.groups, *kernel)
        taps = prod(kernel)
        weight = Weight(
            "weight",
            shape,
            self.init,
            fan_in=shape[1] * taps,
            fan_out=self.channels // self.groups * taps,
            values=self.weight,
        )
        bias = (Weight("bias", (self.channels,), "zero"),) if self.bias else ()
        return (weight, *bias)

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return self.weights(inputs)[0].size * prod(output[1:])

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        return border_conditions(self.pad_mode, spatial, self.axes(spatial, facts))


@dataclass(frozen=True)
class Deconv(Op, name="deconv", group="windows"):
    """Transposed convolution: each input pixel writes a kernel, `stride` pixels apart.

    Its weight has PyTorch's layout [channels in, channels out / groups, kernel].
    """

    holds_weights: ClassVar[bool] = True

    channels: int = arg(whole(1), doc="output channels")
    kernel: int | Extent = arg(extent(1), doc="kernel size")
    stride: int | Extent = arg(extent(1), 1, "output pixels for each input pixel")
    pad: Any = arg(PADDING, 0, "pixels cut off the full output, both sides")
    output_pad: int | Extent = arg(
        extent(0), 0, "pixels added after the output, fewer than the stride"
    )
    dilation: int | Extent = arg(extent(1), 1, "pixels from one kernel tap to the next")
    groups: int = arg(whole(1), 1, "independent groups of channels")
    bias: bool = arg(FLAG, True, "add a learnable number to each output channel")
    init: str = init_argument()
    weight: Any = arg(FIXED_VALUES, None, "fixed values of the weight", default_text="learned")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis; "same" multiplies the size by the stride."""
        rank = len(spatial)
        kernels = per_axis(self.kernel, rank, "kernel")
        strides = per_axis(self.stride, rank, "stride")
        dilations = per_axis(self.dilation, rank, "dilation")
        extents = tuple(d * (k - 1) + 1 for d, k in zip(dilations, kernels, strict=True))
        if self.pad in ("same", "same_lower"):
            pads: tuple[tuple[int, int], ...] = ()
            for axis_extent, stride in zip(extents, strides, strict=True):
                total = axis_extent - stride
                if total < 0:
                    raise ShapeError(
                        "E306",
                        f'pad="{self.pad}" of a deconv must have a kernel of at least its stride',
                        argument="pad",
                        help=f"use pad=0 with output_pad={-total}",
                    )
                small, large = total // 2, (total + 1) // 2
                pads += ((small, large) if self.pad == "same" else (large, small),)
        else:
            pads = resolve_padding(self.pad, spatial, extents, strides, facts)
        return tuple(
            Axis(k, s, d, before, after)
            for k, s, d, (before, after) in zip(kernels, strides, dilations, pads, strict=True)
        )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        channels = channels_of(inputs[0], self.name)
        check_groups(self.groups, input=channels, output=self.channels)
        axes = self.axes(spatial, facts)
        extra = per_axis(self.output_pad, len(spatial), "output_pad")
        for axis, more in zip(axes, extra, strict=True):
            if more >= axis.stride:  # a whole stride more is what one more input pixel makes
                raise ShapeError(
                    "E306",
                    "output_pad must be smaller than the stride",
                    argument="output_pad",
                    label=f"{more}, but the stride is {axis.stride}",
                    help=Remedy(
                        f"output_pad is at most {axis.stride - 1} here; a larger kernel or less "
                        "pad makes the output larger too",
                        (NewArgument("output_pad", axis.stride - 1),),
                    ),
                )
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (self.channels, *transposed_output(spatial, axes, extra))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        kernel = per_axis(self.kernel, len(inputs[0]) - 1, "kernel")
        stride = per_axis(self.stride, len(inputs[0]) - 1, "stride")
        channels = channels_of(inputs[0], self.name)
        taps = prod(kernel)
        # An output pixel is reached by about taps / stride of the kernel's taps.
        reached = max(1, taps // prod(stride))
        weight = Weight(
            "weight",
            (channels, self.channels // self.groups, *kernel),
            self.init,
            fan_in=channels // self.groups * reached,
            fan_out=self.channels // self.groups * taps,
            values=self.weight,
        )
        bias = (Weight("bias", (self.channels,), "zero"),) if self.bias else ()
        return (weight, *bias)

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return self.weights(inputs)[0].size * prod(inputs[0][1:])

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("transposed", self.axes(inputs[0][1:], facts))
