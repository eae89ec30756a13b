"""Derivatives of cropping, padding and enlarging in ONNX."""

from __future__ import annotations

from math import floor, prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import along
from compiler.onnx.gradients.windows import unpadded
from compiler.ops.shapes import known, per_axis
from compiler.ops.spatial import Crop, Pad, Upsample


@differentiates(Crop)
def crop(op: Crop, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy where it was cut out, 0 around it."""
    _, *sizes = known(emit.inputs[0], op.name)
    kept = known(emit.output[1:], op.name)
    starts = known(op.starts(emit.inputs[0], emit.facts), op.name)
    ends = [size - start - n for size, start, n in zip(sizes, starts, kept, strict=True)]
    return by_inputs(emit.node("Pad", dy, emit.ints([0, 0, *starts, 0, 0, *ends])))


@differentiates(Pad)
def pad(op: Pad, emit: Emitter, dy: str, x: str) -> Gradients:
    """Each pixel gathers from its copies."""
    _, *sizes = known(emit.inputs[0], op.name)
    axes = op.axes(tuple(sizes), emit.facts)
    assert axes is not None
    return by_inputs(unpadded(emit, dy, tuple(sizes), axes, op.mode))


@differentiates(Upsample)
def upsample(op: Upsample, emit: Emitter, dy: str, x: str) -> Gradients:
    """The sum over the copies of a pixel, or axis by axis over those that it is mixed into."""
    sizes = known(emit.inputs[0][1:], op.name)
    scales = per_axis(op.scale, len(sizes), "scale")
    if op.mode == "nearest":
        means = emit.node("AveragePool", dy, kernel_shape=scales, strides=scales)
        return by_inputs(emit.node("Mul", means, emit.floats(float(prod(scales)))))
    for axis, (size, factor) in enumerate(zip(sizes, scales, strict=True), start=2):
        dy = along(emit, dy, axis, mixture(size, factor))
    return by_inputs(dy)


def mixture(size: int, factor: int) -> list[list[float]]:
    """[size * factor, size]: how much of each pixel an enlarged axis holds at each place."""
    matrix = [[0.0] * size for _ in range(size * factor)]
    for row, weights in enumerate(matrix):
        place = min(max((row + 0.5) / factor - 0.5, 0), size - 1)
        low = floor(place)
        weights[low] += 1 - (place - low)
        weights[min(low + 1, size - 1)] += place - low
    return matrix
