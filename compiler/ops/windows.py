"""Ops that slide a window: convolutions, fixed filters and poolings."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.dims import Dim, Size, product
from compiler.domain import Facts
from compiler.ops.arguments import (
    FIXED_VALUES,
    FLAG,
    INIT,
    KERNEL_VALUES,
    PADDING,
    Extent,
    arg,
    choice,
    extent,
    nested_shape,
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
    Weight,
    channels_of,
    show_shape,
    spatial_of,
)
from compiler.shapes import (
    per_axis,
    resolve_padding,
    transposed_output,
    window_axes,
    window_output,
)

PAD_MODES = {"zero": "constant", "replicate": "edge", "reflect": "reflect"}


def onnx_pads(axes: tuple[Axis, ...], *, overhang: bool = True) -> list[int]:
    """Pads in ONNX's order: all the befores, then all the afters."""
    return [a.before for a in axes] + [a.after + (a.overhang if overhang else 0) for a in axes]


def emit_pad(emit: Emitter, x: str, pads: list[int], mode: str = "constant") -> str:
    """An ONNX Pad of the spatial axes, or `x` itself when there is nothing to pad."""
    if not any(pads):
        return x
    half = len(pads) // 2
    return emit.node("Pad", x, emit.ints([0, 0, *pads[:half], 0, 0, *pads[half:]]), mode=mode)


def check_border(pad_mode: str, spatial: Shape, axes: tuple[Axis, ...]) -> None:
    """Raise E306 when `reflect` would mirror more pixels than the input has."""
    if pad_mode != "reflect":
        return
    for size, axis in zip(spatial, axes, strict=True):
        if isinstance(size, int) and max(axis.before, axis.after) >= size:
            raise ShapeError(
                "E306",
                "reflect padding must be smaller than the input",
                argument="pad",
                label=f"{max(axis.before, axis.after)} pixels, but the input has {size}",
                help=f'pad at most {size - 1}, or use pad_mode="replicate"',
            )


def border_conditions(
    pad_mode: str, spatial: Shape, axes: tuple[Axis, ...]
) -> tuple[tuple[Size, int], ...]:
    """What reflect padding asks of symbolic sizes: at least one pixel more than the pad."""
    if pad_mode != "reflect":
        return ()
    return tuple((s, max(a.before, a.after) + 1) for s, a in zip(spatial, axes, strict=True))


def check_groups(channels_in: int, channels_out: int, groups: int) -> None:
    """Raise E303 unless both channel counts divide into `groups`."""
    for what, count in (("input", channels_in), ("output", channels_out)):
        if count % groups:
            common = [
                g for g in range(1, groups + 1) if channels_in % g == 0 and channels_out % g == 0
            ]
            raise ShapeError(
                "E303",
                f"groups must divide the {what} channels",
                argument="groups",
                label=f"{count} {what} channels do not divide into {groups} groups",
                notes=[f"channels: {channels_in} in, {channels_out} out"],
                help=f"the largest number of groups up to {groups} that fits is {common[-1]}",
            )


def check_fixed(values: Any, shape: tuple[int, ...], op: str) -> None:
    """Raise E306 unless fixed weights have the shape that the layer needs."""
    if values is not None and nested_shape(values) != shape:
        raise ShapeError(
            "E306",
            f"the fixed weight of {op} must have shape {show_shape(shape)}",
            argument="weight",
            label=f"this has shape {show_shape(nested_shape(values))}",
        )


@dataclass(frozen=True)
class Conv(Op):
    """Convolution (cross-correlation) of 1, 2 or 3 spatial axes.

    Every output channel is a sum of windows over the input channels of its group plus a bias.
    """

    name: ClassVar[str] = "conv"
    group: ClassVar[str] = "windows"
    holds_weights: ClassVar[bool] = True

    channels: int = arg(whole(1), doc="output channels")
    kernel: int | Extent = arg(extent(1), doc="kernel size")
    stride: int | Extent = arg(extent(1), 1, "pixels from one window to the next")
    pad: Any = arg(PADDING, 0, "pixels added around the input")
    pad_mode: str = arg(choice(*PAD_MODES), "zero", "what the added pixels hold")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one kernel tap to the next")
    groups: int = arg(whole(1), 1, "independent groups of channels")
    bias: bool = arg(FLAG, True, "add a learnable number to each output channel")
    init: str = arg(INIT, "he", "distribution of the initial weight")
    weight: Any = arg(FIXED_VALUES, None, "fixed values of the weight", default_text="learned")

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        return window_axes(
            spatial,
            self.kernel,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
            facts=facts,
        )

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        check_groups(channels_of(inputs[0], self.name), self.channels, self.groups)
        axes = self.axes(spatial, facts)
        check_border(self.pad_mode, spatial, axes)
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (self.channels, *window_output(spatial, axes))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        kernel = per_axis(self.kernel, len(inputs[0]) - 1, "kernel")
        shape = (self.channels, channels_of(inputs[0], self.name) // self.groups, *kernel)
        taps = Weight("", kernel, "zero").size
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
        return self.weights(inputs)[0].size * product(output[1:])

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("window", self.axes(inputs[0][1:], facts))

    def conditions(self, inputs: Shapes) -> tuple[tuple[Size, int], ...]:
        spatial = inputs[0][1:]
        return border_conditions(self.pad_mode, spatial, self.axes(spatial, Facts()))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        pads = onnx_pads(axes)
        x = inputs[0]
        if self.pad_mode != "zero":
            x, pads = emit_pad(emit, x, pads, PAD_MODES[self.pad_mode]), [0] * len(pads)
        bias = [emit.weight("bias")] if self.bias else []
        return emit.node(
            "Conv",
            x,
            emit.weight("weight"),
            *bias,
            kernel_shape=[a.kernel for a in axes],
            strides=[a.stride for a in axes],
            dilations=[a.dilation for a in axes],
            pads=pads,
            group=self.groups,
        )


@dataclass(frozen=True)
class Deconv(Op):
    """Transposed convolution: each input pixel writes a kernel, `stride` pixels apart.

    Its weight has PyTorch's layout [channels in, channels out / groups, kernel].
    """

    name: ClassVar[str] = "deconv"
    group: ClassVar[str] = "windows"
    holds_weights: ClassVar[bool] = True

    channels: int = arg(whole(1), doc="output channels")
    kernel: int | Extent = arg(extent(1), doc="kernel size")
    stride: int | Extent = arg(extent(1), 1, "output pixels for each input pixel")
    pad: Any = arg(PADDING, 0, "pixels cut off the full output, both sides")
    output_pad: int | Extent = arg(extent(0), 0, "pixels added after the output")
    dilation: int | Extent = arg(extent(1), 1, "pixels from one kernel tap to the next")
    groups: int = arg(whole(1), 1, "independent groups of channels")
    bias: bool = arg(FLAG, True, "add a learnable number to each output channel")
    init: str = arg(INIT, "he", "distribution of the initial weight")
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
        check_groups(channels_of(inputs[0], self.name), self.channels, self.groups)
        axes = self.axes(spatial, facts)
        extra = per_axis(self.output_pad, len(spatial), "output_pad")
        for axis, more in zip(axes, extra, strict=True):
            if more >= max(axis.stride, axis.dilation):
                raise ShapeError(
                    "E306",
                    "output_pad must be smaller than the stride or the dilation",
                    argument="output_pad",
                    label=f"{more}, but the stride is {axis.stride} "
                    f"and the dilation {axis.dilation}",
                )
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (self.channels, *transposed_output(spatial, axes, extra))

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        kernel = per_axis(self.kernel, len(inputs[0]) - 1, "kernel")
        stride = per_axis(self.stride, len(inputs[0]) - 1, "stride")
        channels = channels_of(inputs[0], self.name)
        taps = Weight("", kernel, "zero").size
        # An output pixel is reached by about taps / stride of the kernel's taps.
        reached = max(1, taps // Weight("", stride, "zero").size)
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
        return self.weights(inputs)[0].size * product(inputs[0][1:])

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return Reach("transposed", self.axes(inputs[0][1:], facts))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        spatial = emit.inputs[0][1:]
        axes = self.axes(spatial, emit.facts)
        bias = [emit.weight("bias")] if self.bias else []
        return emit.node(
            "ConvTranspose",
            inputs[0],
            emit.weight("weight"),
            *bias,
            kernel_shape=[a.kernel for a in axes],
            strides=[a.stride for a in axes],
            dilations=[a.dilation for a in axes],
            pads=onnx_pads(axes),
            group=self.groups,
            output_padding=list(per_axis(self.output_pad, len(spatial), "output_pad")),
        )


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


class Pool(Op):
    """What the poolings share: a window for each channel by itself, stride = kernel by default."""

    kernel: int | Extent
    stride: int | Extent | None
    pad: Any
    ceil: bool

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis."""
        return window_axes(
            spatial,
            self.kernel,
            stride=self.stride,
            pad=self.pad,
            dilation=getattr(self, "dilation", 1),
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

    def lower(self, emit: Emitter, *inputs: str) -> str:
        axes = self.axes(emit.inputs[0][1:], emit.facts)
        return emit.node(
            "MaxPool",
            inputs[0],
            kernel_shape=[a.kernel for a in axes],
            pads=onnx_pads(axes),
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


def nested_sum(values: Any) -> float:
    """The sum of all the numbers in nested tuples."""
    return sum(map(nested_sum, values)) if isinstance(values, tuple) else values


def nested_scale(values: Any, factor: float) -> Any:
    """Nested tuples with every number multiplied by `factor`."""
    if isinstance(values, tuple):
        return tuple(nested_scale(v, factor) for v in values)
    return values * factor


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


@dataclass(frozen=True)
class GlobalAveragePool(Op):
    """The mean of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gap"
    group: ClassVar[str] = "windows"
    onnx_type: ClassVar[str] = "GlobalAveragePool"

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        return (inputs[0][0], *(1 for _ in spatial))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node(self.onnx_type, inputs[0])


@dataclass(frozen=True)
class GlobalMaxPool(GlobalAveragePool):
    """The largest value of each whole feature map: [C, …] becomes [C, 1, …]."""

    name: ClassVar[str] = "gmp"
    onnx_type: ClassVar[str] = "GlobalMaxPool"


@dataclass(frozen=True)
class AdaptiveAvgPool(Op):
    """The means of `size` near-equal parts of each axis.

    Part i of n along W pixels runs from floor(iW/n) to ceil((i + 1)W/n), as in PyTorch.
    """

    name: ClassVar[str] = "adaptive_avgpool"
    group: ClassVar[str] = "windows"

    size: int | Extent = arg(extent(1), doc="output size")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        spatial = spatial_of(inputs[0], self.name)
        sizes = per_axis(self.size, len(spatial), "size")
        for given, wanted in zip(spatial, sizes, strict=True):
            if isinstance(given, Dim) and wanted != 1:
                raise ShapeError(
                    "E307",
                    f"adaptive_avgpool must know the size that it divides, but {given} is symbolic",
                    argument="size",
                    help="a size of 1 works for every input; otherwise fix the input's size",
                )
        return (inputs[0][0], *sizes)

    def parts(self, spatial: Shape) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each axis the (start, end) of every part; `spatial` must be known numbers."""
        sizes = per_axis(self.size, len(spatial), "size")
        return tuple(
            tuple((i * w // n, -(-(i + 1) * w // n)) for i in range(n))
            for w, n in zip((int(s) for s in spatial if isinstance(s, int)), sizes, strict=True)
        )

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        spatial = inputs[0][1:]
        if any(isinstance(s, Dim) for s in spatial):
            return EVERYWHERE
        axes = []
        for parts in self.parts(spatial):
            widths = {end - start for start, end in parts}
            steps = {b[0] - a[0] for a, b in itertools.pairwise(parts)}
            axes.append(Axis(max(widths), max(steps, default=max(widths))))
        return Reach("window", tuple(axes))

    def lower(self, emit: Emitter, *inputs: str) -> str:
        spatial = emit.inputs[0][1:]
        if all(n == 1 for n in emit.output[1:]):
            return emit.node("GlobalAveragePool", inputs[0])
        x = inputs[0]
        rank = len(spatial)
        # A matrix of averages along one axis at a time, that axis moved to the end.
        for index, parts in enumerate(self.parts(spatial)):
            size = spatial[index]
            assert isinstance(size, int)
            if len(parts) == size:
                continue
            matrix = tuple(
                tuple(1 / (end - start) if start <= pixel < end else 0.0 for start, end in parts)
                for pixel in range(size)
            )
            order = [*range(rank + 2)]
            order[index + 2], order[-1] = order[-1], order[index + 2]
            if index < rank - 1:
                x = emit.node("Transpose", x, perm=order)
            x = emit.node("MatMul", x, emit.floats(matrix))
            if index < rank - 1:
                x = emit.node("Transpose", x, perm=order)
        return x
