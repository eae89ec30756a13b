"""Derivatives of the poolings to a fixed output size in ONNX."""

from __future__ import annotations

from math import prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.global_pooling import averages
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import along, like, zeros_like
from compiler.ops.checks import known
from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool, GlobalMaxPool


@differentiates(GlobalAveragePool)
def gap(op: GlobalAveragePool, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy over the number of pixels, for every pixel."""
    pixels = prod(known(emit.inputs[0][1:], op.name))
    share = emit.node("Mul", dy, emit.floats(1 / pixels))
    return by_inputs(emit.node("Expand", share, emit.node("Shape", x)))


@differentiates(GlobalMaxPool)
def gmp(op: GlobalMaxPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy for the first of the largest pixels."""
    flat = emit.node("Reshape", x, emit.ints([0, 0, -1]))
    largest = emit.node("ArgMax", flat, axis=2, keepdims=1)
    share = emit.node("Reshape", dy, emit.ints([0, 0, 1]))
    dx = emit.node("ScatterElements", zeros_like(emit, flat), largest, share, axis=2)
    return by_inputs(like(emit, dx, x))


@differentiates(AdaptiveAvgPool)
def adaptive_avgpool(op: AdaptiveAvgPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """Axis by axis each part hands dy over its width to its pixels; parts may overlap."""
    if all(parts == 1 for parts in emit.output[1:]):
        return gap(GlobalAveragePool(), emit, dy, x)
    sizes, parts = known(emit.inputs[0][1:], op.name), known(emit.output[1:], op.name)
    for axis, (size, count) in enumerate(zip(sizes, parts, strict=True), start=2):
        if size != count:
            dy = along(emit, dy, axis, [*zip(*averages(size, count), strict=True)])
    return by_inputs(dy)
