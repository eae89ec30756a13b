"""Derivatives of convolutions in ONNX."""

from __future__ import annotations

from math import prod
from typing import TypeAlias

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, differentiates
from compiler.onnx.gradients.arithmetic import over_channels, summed
from compiler.onnx.gradients.windows import bare, padded_sizes, spread, unpadded
from compiler.onnx.windows import PAD_MODES, emit_pad, onnx_pads, window_attributes
from compiler.ops.base import Axis, Shape
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.shapes import known

Sizes: TypeAlias = tuple[int, ...]


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

    It is the correlation of the input, padded with zeros as the axes say, with dy over batch and
    pixels. A kernel of one tap takes a matrix product for each sample, any other a convolution of x
    by dy. Measured on one thread with ONNX Runtime 1.31, in milliseconds (batch, channels, pixels),
    beside shifting the input to every tap for a product each:

        kernel                       product   convolution   shifted
        1x1, 8, 64 to 256, 56x56           8            13
        3x3, 128, 16 to 16, 32x32                       16        25
        3x3, 128, 64 to 64, 8x8                          7        13
        3x3, 16, 64 to 64, 56x56                        67        75
        5x5, 64, 6 to 16, 14x14                        0.7       1.0
        5x5, 64, 1 to 6, 28x28                         1.6       1.9
        7x7 / 2, 4, 3 to 64, 224x224                    15        24
    """
    taken = known(given, emit.layer.op.name)
    if groups == 1 and prod(a.kernel for a in axes) == 1:
        return by_product(emit, x, dy, axes, taken, known(made, emit.layer.op.name))
    return by_swapping(emit, x, dy, axes, taken, groups)


def by_product(
    emit: Emitter, x: str, dy: str, axes: tuple[Axis, ...], given: Sizes, made: Sizes
) -> str:
    """The sum over samples of dy [N, C_out, places] times the pixels that the one tap meets."""
    channels, (outputs, *counts) = given[0], made
    x = emit_pad(emit, x, onnx_pads(axes))
    if any(a.stride > 1 for a in axes):
        ends = [(n - 1) * a.stride + 1 for n, a in zip(counts, axes, strict=True)]
        places, strides = [*range(2, 2 + len(axes))], [a.stride for a in axes]
        met = map(emit.ints, ([0] * len(axes), ends, places, strides))
        x = emit.node("Slice", x, *met)
    pixels = emit.node("Reshape", x, emit.ints([0, channels, -1]))
    outgoing = emit.node("Reshape", dy, emit.ints([0, outputs, -1]))
    each = emit.node("MatMul", outgoing, emit.node("Transpose", pixels, perm=[0, 2, 1]))
    taps = emit.ints([outputs, channels, *(1 for _ in axes)])
    return emit.node("Reshape", summed(emit, each, [0]), taps)


def by_swapping(
    emit: Emitter, x: str, dy: str, axes: tuple[Axis, ...], given: Sizes, groups: int
) -> str:
    """A convolution of one image, whose channels are the samples, by dy.

    The channels of x stand innermost in its last axis, so that what belongs to one tap of dy lies
    in a row: as many pixels as the kernel is wide, with all their channels. Stride and dilation
    change places. Of the output the first taps count, the others come from pixels that no window
    reached.
    """
    channels, *sizes = given
    own, rank = channels // groups, len(axes)
    *others, last = axes
    pixels = [*range(2, 2 + rank)]
    if groups > 1:
        x = emit.node("Reshape", x, emit.ints([0, groups, own, *sizes]))
        turned = emit.node("Transpose", x, perm=[1, 0, *(axis + 1 for axis in pixels), 2])
    else:
        turned = emit.node("Transpose", x, perm=[0, *pixels, 1])
    pads = [(a.before, a.after + a.overhang) for a in others]
    pads.append((own * last.before, own * (last.after + last.overhang)))
    found = emit.node(
        "Conv",
        emit.node("Reshape", turned, emit.ints([1, -1, *sizes[:-1], sizes[-1] * own])),
        emit.node("Transpose", dy, perm=[1, 0, *pixels]),
        strides=[*(a.dilation for a in others), 1],
        dilations=[*(a.stride for a in others), last.stride * own],
        pads=[*(before for before, _ in pads), *(after for _, after in pads)],
        group=groups,
    )
    taps = emit.node("Reshape", found, emit.ints([*[0] * (rank + 1), -1, own]))
    ends = emit.ints([*(a.kernel for a in others), last.extent])
    steps = emit.ints([*[1] * len(others), last.dilation])
    counted = emit.node("Slice", taps, emit.ints([0] * rank), ends, emit.ints(pixels), steps)
    turned = emit.node("Transpose", counted, perm=[0, 1, rank + 2, *pixels])
    return emit.node("Reshape", turned, emit.ints([-1, own, *(a.kernel for a in axes)]))


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
        **window_attributes(axes),
        pads=onnx_pads(axes),
        group=op.groups,
    )
    weight = weight_gradient(emit, dy, emit.output, x, emit.inputs[0], axes, op.groups)
    return Gradients((dx,), {"weight": weight} | bias_gradient(emit, dy, op.bias))
