"""Derivatives of convolutions in ONNX.

The derivative by the weight is a correlation of the input with dy over batch and pixels. It is
written in the fastest of three forms for its shape (`weight_form` says which and why):

    rows      the input shifted along its last axis, dy along the others; a matrix product for each
              shift of the input gives the taps of all shifts of dy
    columns   the input shifted to each tap, and a matrix product with dy
    swapped   a convolution of the input by dy, batch and channels exchanged in both
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as every
from math import prod
from typing import Literal, TypeAlias

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, differentiates
from compiler.onnx.gradients.arithmetic import over_channels, summed
from compiler.onnx.gradients.windows import bare, padded_sizes, spread, unpadded
from compiler.onnx.windows import PAD_MODES, emit_pad, onnx_pads
from compiler.ops.base import Axis, Shape
from compiler.ops.checks import known
from compiler.ops.convolution import Conv, Deconv

FEWEST_CHANNELS = 8  # of input and output, for a product by rows

Form: TypeAlias = Literal["rows", "columns", "swapped"]


def weight_form(channels: int, outputs: int, axes: tuple[Axis, ...], groups: int) -> Form:
    """The form for a kernel between so many channels.

    Measured on one thread with ONNX Runtime 1.31, in milliseconds (batch, channels, pixels):

        kernel                       rows   columns   swapped
        3x3, 128, 16 to 16, 32x32      29        41        63
        3x3, 128, 64 to 64, 8x8        19        21        21
        3x3, 16, 64 to 64, 56x56       62        87       138
        5x5, 64, 6 to 16, 14x14       3.4       1.7       2.4
        5x5, 64, 1 to 6, 28x28         7+       3.3       2.6
        1x1, 8, 64 to 256, 56x56                 52      1151
        4x4 / 2, 32, 64 to 128, 32x32            70        48
        4x4 / 2, 32, 256 to 512, 8x8            125        32
    """
    taps = prod(a.kernel for a in axes)
    if groups > 1 or (taps > 1 and any(a.stride > 1 for a in axes)):
        return "swapped"
    if taps == 1:
        return "columns"
    if min(channels, outputs) >= FEWEST_CHANNELS:
        return "rows"
    return "columns" if channels > 1 else "swapped"


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
    x = emit_pad(emit, x, onnx_pads(axes))
    if form == "rows":
        return by_rows(emit, x, dy, axes, channels, outputs, tuple(counts))
    return by_columns(emit, x, dy, axes, channels, outputs, tuple(counts))


def shifted(
    emit: Emitter,
    x: str,
    axes: Sequence[Axis],
    tap: Sequence[int],
    counts: Sequence[int],
    first: int,
) -> str:
    """The pixels of a padded input that a tap meets along some axes, from ONNX axis `first` on."""
    starts = [t * a.dilation for t, a in zip(tap, axes, strict=True)]
    ends = [
        start + (n - 1) * a.stride + 1 for start, n, a in zip(starts, counts, axes, strict=True)
    ]
    places = [*range(first, first + len(axes))]
    strides = [a.stride for a in axes]
    return emit.node("Slice", x, *map(emit.ints, (starts, ends, places, strides)))


def by_rows(
    emit: Emitter,
    x: str,
    dy: str,
    axes: tuple[Axis, ...],
    channels: int,
    outputs: int,
    counts: tuple[int, ...],
) -> str:
    """dW[o, t, u, c] = sum over samples and places of dy shifted by t times x shifted by u.

    `u` is the tap along the last axis, `t` that along the others; the stride is 1. Only as many
    copies are made as the kernel is high and wide, not high times wide.
    """
    *others, last = axes
    moved = []
    for tap in every(*(range(a.kernel) for a in others)):
        before = [t * a.dilation for t, a in zip(tap, others, strict=True)]
        after = [a.extent - 1 - start for start, a in zip(before, others, strict=True)]
        pads = [0, 0, *before, 0, 0, 0, *after, 0]
        moved.append(emit.node("Pad", dy, emit.ints(pads)) if any(pads) else dy)
    rows = emit.node("Concat", *moved, axis=1) if len(moved) > 1 else moved[0]
    outgoing = emit.node("Reshape", rows, emit.ints([0, len(moved) * outputs, -1]))
    found = []
    for place in range(last.kernel):
        met = shifted(emit, x, [last], [place], counts[-1:], len(axes) + 1)
        found.append(summed_product(emit, outgoing, met, channels))
    taps = [a.kernel for a in others]
    split = emit.ints([*taps, outputs, channels, 1])
    each = [emit.node("Reshape", total, split) for total in found]
    joined = emit.node("Concat", *each, axis=len(taps) + 2) if len(each) > 1 else each[0]
    rank = len(taps)
    return emit.node("Transpose", joined, perm=[rank, rank + 1, *range(rank), rank + 2])


def by_columns(
    emit: Emitter,
    x: str,
    dy: str,
    axes: tuple[Axis, ...],
    channels: int,
    outputs: int,
    counts: tuple[int, ...],
) -> str:
    """dW[o, t, u, c] = sum over samples and places p of dy[n, o, p] x[n, c, p s + (t, u) d].

    The shifts along the last axis stand one behind the other as channels.
    """
    *others, last = axes
    columns = [
        shifted(emit, x, [last], [tap], counts[-1:], len(axes) + 1) for tap in range(last.kernel)
    ]
    wide = emit.node("Concat", *columns, axis=1) if len(columns) > 1 else columns[0]
    outgoing = emit.node("Reshape", dy, emit.ints([0, outputs, -1]))
    found = []
    for tap in every(*(range(a.kernel) for a in others)):
        met = shifted(emit, wide, others, tap, counts[:-1], 2) if others else wide
        total = summed_product(emit, outgoing, met, last.kernel * channels)
        found.append(emit.node("Reshape", total, emit.ints([outputs, 1, last.kernel, channels])))
    joined = emit.node("Concat", *found, axis=1) if len(found) > 1 else found[0]
    taps = [a.kernel for a in axes]
    split = emit.node("Reshape", joined, emit.ints([outputs, *taps, channels]))
    return emit.node("Transpose", split, perm=[0, len(taps) + 1, *range(1, len(taps) + 1)])


def summed_product(emit: Emitter, outgoing: str, met: str, channels: int) -> str:
    """[rows, channels]: the sum over samples of [N, rows, places] times [N, channels, …]."""
    flat = emit.node("Reshape", met, emit.ints([0, channels, -1]))
    each = emit.node("MatMul", outgoing, emit.node("Transpose", flat, perm=[0, 2, 1]))
    return summed(emit, each, [0])


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
