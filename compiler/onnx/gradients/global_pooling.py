"""Derivatives of the poolings to a fixed output size in ONNX."""

from __future__ import annotations

from math import prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.global_pooling import averages, bounds_of
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import along, like, zeros_like
from compiler.onnx.windows import emit_slice
from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)
from compiler.ops.shapes import known


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


@differentiates(AdaptiveMaxPool)
def adaptive_maxpool(op: AdaptiveMaxPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """Axis by axis, the last first, each part's largest value, of equal ones the first, gets dy.

    So the first of a part is the first in the order of its rows.
    """
    sizes, parts = known(emit.inputs[0][1:], op.name), op.parts(len(emit.output) - 1)
    steps: list[tuple[int, str, str]] = []  # an axis, what is reduced along it, and the places
    for axis in range(len(emit.output), 1, -1):
        found = [
            emit.node(
                "Add",
                emit.node("ArgMax", emit_slice(emit, x, axis, *bounds), axis=axis, keepdims=1),
                emit.ints([known((bounds[0],), op.name)[0]]),
            )
            for bounds in bounds_of(sizes[axis - 2], parts[axis - 2])
        ]
        places = emit.node("Concat", *found, axis=axis)
        steps.append((axis, x, places))
        x = emit.node("GatherElements", x, places, axis=axis)
    for axis, reduced, places in reversed(steps):
        zeros = zeros_like(emit, reduced)
        dy = emit.node("ScatterElements", zeros, places, dy, axis=axis, reduction="add")
    return by_inputs(dy)
