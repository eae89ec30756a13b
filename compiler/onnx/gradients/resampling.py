"""The derivative of a map's resizing in ONNX: along each axis the transposed matrix of weights."""

from __future__ import annotations

from math import floor

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import along
from compiler.onnx.interpolation import cubic, linear
from compiler.onnx.nearest import Nearest
from compiler.ops.resampling import Resize
from compiler.ops.shapes import known


@differentiates(Resize)
def resize(op: Resize, emit: Emitter, dy: str, x: str) -> Gradients:
    """Each input pixel gathers dy by its weight in every output pixel."""
    sizes = known(emit.inputs[0][1:], op.name)
    wanted, factors = known(op.sizes(len(sizes)), op.name), op.factors(len(sizes))
    for axis, (have, want, factor) in enumerate(zip(sizes, wanted, factors, strict=True), start=2):
        dy = along(emit, dy, axis, weights(op, have, want, factor))
    return by_inputs(dy)


def weights(op: Resize, have: int, want: int, factor: float | None) -> list[list[float]]:
    """[want, have]: how much of each input pixel an output pixel holds."""
    matrix = [[0.0] * have for _ in range(want)]
    axis = Nearest(want, op.align, op.rounding, factor)
    if op.mode == "nearest" and op.align != "corners":
        for row, pixel in zip(matrix, axis.pixels(have), strict=True):
            row[pixel] = 1.0
        return matrix
    for row, place in zip(matrix, places(axis, have), strict=True):
        low = floor(place)
        share = place - low
        for pixel, weight in taps(op, low, share):
            row[min(max(pixel, 0), have - 1)] += weight
    return matrix


def places(axis: Nearest, have: int) -> list[float]:
    """Where each output pixel lies in the input."""
    if axis.align == "corners":
        steps = max(axis.count - 1, 1)
        return [pixel * (have - 1) / steps for pixel in range(axis.count)]
    if axis.factor is not None:
        return axis.places(axis.factor)
    factors, offset = axis.numerators()
    return [(n * have + offset) / (2 * axis.count) for n in factors]


def taps(op: Resize, low: int, share: float) -> list[tuple[int, float]]:
    """The pixels that make up the value `share` behind a pixel, with their weights."""
    match op.mode:
        case "nearest":
            up = {
                "floor": False,
                "ceil": share > 0,
                "prefer_floor": share > 0.5,
                "prefer_ceil": share >= 0.5,
            }[op.rounding]
            return [(low + int(up), 1.0)]
        case "linear":
            return [*enumerate(linear(share), start=low)]
    return [*enumerate(cubic(share), start=low - 1)]
