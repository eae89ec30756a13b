"""Poolings in ONNX."""

from __future__ import annotations

import math
from typing import Any

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.filtering import emit_depthwise
from compiler.onnx.windows import emit_pad, onnx_pads, window_attributes
from compiler.ops.base import Axis
from compiler.ops.pooling import AvgPool, LpPool, MaxPool, tap_counts

TILE = Axis(2, 2)
STILL = Axis(1)  # a window of the one pixel: nothing is done along this axis


def tiles(axes: tuple[Axis, ...]) -> bool:
    """Whether the windows are squares of 2x2 pixels side by side, without pads."""
    return axes == (TILE, TILE)


@lowers(MaxPool)
def maxpool(op: MaxPool, emit: Emitter, x: str) -> str:
    """A MaxPool with explicit pads; its gradient needs the indices unless its windows are tiles."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    pads = onnx_pads(axes)
    if any(pad >= axis.kernel for pad, axis in zip(pads, axes * 2, strict=True)):
        # ONNX Runtime takes pads below the kernel only, and forgets its dilation.
        x, pads = emit_pad(emit, x, pads, fill=-math.inf), [0] * len(pads)
    indices = emit.differentiated and not tiles(axes)
    outputs = emit.outputs(
        2 if indices else 1,  # the indices cost more than the pooling itself
        "MaxPool",
        x,
        pads=pads,
        **window_attributes(axes),
    )
    if indices:
        emit.keep(seen=x, indices=outputs[1])
    return outputs[0]


@lowers(AvgPool)
def avgpool(op: AvgPool, emit: Emitter, x: str) -> str:
    """An AveragePool that never counts its own pads; a dilated one is a convolution."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    if any(axis.dilation > 1 for axis in axes):  # a mean along one axis after the other
        dilated = tuple(axis if axis.dilation > 1 else STILL for axis in axes)
        x = emit_dilated_mean(emit, x, dilated, op.count_pad)
        axes = tuple(axis if axis.dilation == 1 else STILL for axis in axes)
        if all(axis == STILL for axis in axes):
            return x
    if op.count_pad:  # real zeros first; then only the overhang is left, which never counts
        x = emit_pad(emit, x, onnx_pads(axes, overhang=False))
        axes = tuple(Axis(a.kernel, a.stride, 1, 0, 0, a.overhang) for a in axes)
    return emit.node(
        "AveragePool",
        x,
        kernel_shape=[a.kernel for a in axes],
        strides=[a.stride for a in axes],
        pads=onnx_pads(axes),
    )


@lowers(LpPool)
def lppool(op: LpPool, emit: Emitter, x: str) -> str:
    """An LpPool without pads; a dilated one is a convolution of the powers."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    # Real zeros first, since a zero adds nothing to the sum: the pooling itself has no pads.
    x = emit_pad(emit, x, onnx_pads(axes))
    if any(axis.dilation > 1 for axis in axes):
        powers = emit.node("Pow", emit.node("Abs", x), emit.floats(float(op.p)))
        total = emit_depthwise(emit, powers, filled(1.0, axes), axes, [0] * (2 * len(axes)))
        return emit.node("Pow", total, emit.floats(1 / op.p))
    return emit.node(
        "LpPool",
        x,
        kernel_shape=[a.kernel for a in axes],
        p=op.p,
        strides=[a.stride for a in axes],
    )


def filled(value: float, axes: tuple[Axis, ...]) -> Any:
    """A kernel that holds one value everywhere."""
    kernel: Any = value
    for axis in reversed(axes):
        kernel = (kernel,) * axis.kernel
    return kernel


def emit_dilated_mean(emit: Emitter, x: str, axes: tuple[Axis, ...], count_pad: bool) -> str:
    """The sum of each dilated window, divided along each axis by the taps that count; `STILL` axes
    are passed over.

    ONNX Runtime's own average ignores dilation before opset 19, and on CUDA longer.
    """
    spatial = emit.inputs[0][1:]
    y = emit_pad(emit, x, onnx_pads(axes))
    y = emit_depthwise(emit, y, filled(1.0, axes), axes, [0] * (2 * len(axes)))
    for place, (size, axis) in enumerate(zip(spatial, axes, strict=True)):
        if axis == STILL:
            continue
        shares: Any = tuple(1 / count for count in tap_counts(size, axis, count_pad))
        for _ in range(len(axes) - 1 - place):
            shares = tuple((share,) for share in shares)
        y = emit.node("Mul", y, emit.floats(shares))
    return y
