"""Derivatives of convolutions in ONNX.

The derivative by the weight is a correlation of the input with dy over batch and pixels. It is
written in the fastest of three forms for its shape (one thread of a CPU, see `weight_form`):

    product   a 1x1 kernel: one matrix product a sample, summed
    columns   the input shifted to each tap, one behind the other as channels, then as above
    swapped   a convolution of the input by dy, batch and channels exchanged in both
"""

from __future__ import annotations

from itertools import product as every
from math import prod
from typing import Literal

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, differentiates
from compiler.onnx.gradients.arithmetic import over_channels, summed
from compiler.onnx.gradients.windows import bare, padded_sizes, spread, unpadded
from compiler.onnx.windows import PAD_MODES, emit_pad, onnx_pads
from compiler.ops.base import Axis, Shape
from compiler.ops.checks import known
from compiler.ops.convolution import Conv, Deconv

FEWEST_CHANNELS = 8  # of input and output, for the form by columns


def weight_form(
    channels: int, outputs: int, axes: tuple[Axis, ...], groups: int
) -> Literal["product", "columns", "swapped"]:
    """The form for a kernel between so many channels.

    Measured on one thread with ONNX Runtime 1.31: a product is four times as fast as the swapped
    convolution for a 1x1 kernel, columns 1.4 to 2.5 times for 3x3 between 16 to 64 channels. For
    few channels, 4x4 kernels of stride 2 and groups the swapped one is best.
    """
    if groups > 1:
        return "swapped"
    if all(a.kernel == 1 for a in axes):
        return "product"
    few = min(channels, outputs) < FEWEST_CHANNELS
    strided = any(a.stride > 1 for a in axes)
    return "swapped" if few or strided or prod(a.kernel for a in axes) > 9 else "columns"


def weight_gradient(
    emit: Emitter,
    x: str,
    given: Shape,
    dy: str,
    made: Shape,
    axes: tuple[Axis, ...],
    groups: int,
) -> str:
    """[C_out, C_in/groups, taps…] of y = windows of x times weight, x and y as `given` and `made`.

    The input is padded with zeros as the axes say.
    """
    channels, *sizes = known(given, emit.layer.op.name)
    outputs, *counts = known(made, emit.layer.op.name)
    form = weight_form(channels, outputs, axes, groups)
    if form == "swapped":
        return by_swapping(emit, x, dy, axes, groups, channels, outputs, tuple(sizes))
    return by_columns(emit, x, dy, axes, channels, outputs, tuple(counts))


def by_columns(
    emit: Emitter,
    x: str,
    dy: str,
    axes: tuple[Axis, ...],
    channels: int,
    outputs: int,
    counts: tuple[int, ...],
) -> str:
    """dW[o, t, c] = sum over samples and places p of dy[n, o, p] x[n, c, p s + t d]."""
    x = emit_pad(emit, x, onnx_pads(axes))
    spatial = emit.ints([*range(2, 2 + len(axes))])
    strides = emit.ints([a.stride for a in axes])
    shifted = []
    for tap in every(*(range(a.kernel) for a in axes)):
        starts = [t * a.dilation for t, a in zip(tap, axes, strict=True)]
        ends = [
            start + (n - 1) * a.stride + 1 for start, n, a in zip(starts, counts, axes, strict=True)
        ]
        shifted.append(emit.node("Slice", x, emit.ints(starts), emit.ints(ends), spatial, strides))
    columns = emit.node("Concat", *shifted, axis=1) if len(shifted) > 1 else shifted[0]
    flat = emit.node("Reshape", columns, emit.ints([0, len(shifted) * channels, -1]))
    outgoing = emit.node("Reshape", dy, emit.ints([0, outputs, -1]))
    each = emit.node("MatMul", outgoing, emit.node("Transpose", flat, perm=[0, 2, 1]))
    total = summed(emit, each, [0])
    taps = [a.kernel for a in axes]
    split = emit.node("Reshape", total, emit.ints([outputs, *taps, channels]))
    return emit.node("Transpose", split, perm=[0, len(taps) + 1, *range(1, len(taps) + 1)])


def by_swapping(
    emit: Emitter,
    x: str,
    dy: str,
    axes: tuple[Axis, ...],
    groups: int,
    channels: int,
    outputs: int,
    sizes: tuple[int, ...],
) -> str:
    """A convolution whose batch is the channels of a group and whose channels are the samples.

    Its kernel is dy; stride and dilation change places. Of its output the first taps count, the
    others come from pixels that no window reached.
    """
    rest = [*range(2, 2 + len(axes))]
    if groups > 1:
        split = emit.node("Reshape", x, emit.ints([0, groups, channels // groups, *sizes]))
        turned = emit.node("Transpose", split, perm=[2, 1, 0, *(axis + 1 for axis in rest)])
        images = emit.node("Reshape", turned, emit.ints([channels // groups, -1, *sizes]))
    else:
        images = emit.node("Transpose", x, perm=[1, 0, *rest])
    kernels = emit.node("Transpose", dy, perm=[1, 0, *rest])
    found = emit.node(
        "Conv",
        images,
        kernels,
        strides=[a.dilation for a in axes],
        dilations=[a.stride for a in axes],
        pads=onnx_pads(axes),
        group=groups,
    )
    zeros, taps = emit.ints([0] * len(axes)), emit.ints([a.kernel for a in axes])
    counted = emit.node("Slice", found, zeros, taps, emit.ints(rest))
    return emit.node("Transpose", counted, perm=[1, 0, *rest])


@differentiates(Conv)
def conv(op: Conv, emit: Emitter, dy: str, x: str) -> Gradients:
    """By the input the transposed convolution, by the weight the correlation with the input."""
    given = emit.inputs[0]
    channels, *rest = known(given, op.name)
    sizes = tuple(rest)
    axes = op.axes(sizes, emit.facts)
    inner, inside, seen = axes, sizes, x
    if op.pad_mode != "zero":
        seen = emit_pad(emit, x, onnx_pads(axes), PAD_MODES[op.pad_mode])
        inner, inside = bare(axes), padded_sizes(sizes, axes)
    dx = spread(emit, dy, emit.weight("weight"), inside, inner, op.groups)
    if op.pad_mode != "zero":
        dx = unpadded(emit, dx, sizes, axes, op.pad_mode)
    shape = (channels, *inside)
    weight = weight_gradient(emit, seen, shape, dy, emit.output, inner, op.groups)
    return Gradients((dx,), {"weight": weight} | bias_gradient(emit, dy, op.bias))


def bias_gradient(emit: Emitter, dy: str, bias: bool) -> dict[str, str]:
    """The sum of dy over the batch and all pixels, if there is a bias."""
    return {"bias": over_channels(emit, dy, len(emit.output))} if bias else {}


@differentiates(Deconv)
def deconv(op: Deconv, emit: Emitter, dy: str, x: str) -> Gradients:
    """The adjoint: by the input a convolution of dy, by the weight x and dy change places."""
    _, *sizes = known(emit.inputs[0], op.name)
    axes = op.axes(tuple(sizes), emit.facts)
    dx = emit.node(
        "Conv",
        dy,
        emit.weight("weight"),
        kernel_shape=[a.kernel for a in axes],
        strides=[a.stride for a in axes],
        dilations=[a.dilation for a in axes],
        pads=onnx_pads(axes),
        group=op.groups,
    )
    weight = weight_gradient(emit, dy, emit.output, x, emit.inputs[0], axes, op.groups)
    return Gradients((dx,), {"weight": weight} | bias_gradient(emit, dy, op.bias))
