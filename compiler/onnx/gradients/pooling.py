"""Derivatives of the poolings in ONNX."""

from __future__ import annotations

from math import prod

from onnx import TensorProto

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import like, masked
from compiler.onnx.gradients.windows import part, spread
from compiler.onnx.pooling import filled, tiles
from compiler.ops.base import Axis
from compiler.ops.pooling import AvgPool, LpPool, MaxPool, tap_counts
from compiler.ops.shapes import known


@differentiates(MaxPool)
def maxpool(op: MaxPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy goes to the pixel whose index the pooling kept, the first of equal ones.

    Windows that overlap may choose one pixel twice: their dy is added up.
    """
    _, *sizes = known(emit.inputs[0], op.name)
    axes = op.axes(tuple(sizes), emit.facts)
    if tiles(axes):
        return tiled(emit, dy, x, tuple(sizes))
    seen = emit.kept["seen"]
    flat = emit.ints([-1])
    count = emit.node("Reshape", emit.node("Size", seen), flat)
    found = emit.node(
        "ScatterElements",
        emit.node("ConstantOfShape", count),
        emit.node("Reshape", emit.kept["indices"], flat),
        emit.node("Reshape", dy, flat),
        reduction="add" if any(a.extent > a.stride for a in axes) else "none",
    )
    dx = like(emit, found, seen)
    if seen != x:  # it was padded beforehand
        for place, (size, axis) in enumerate(zip(sizes, axes, strict=True), start=2):
            dx = part(emit, dx, place, axis.before, axis.before + size)
    return by_inputs(dx)


def tiled(emit: Emitter, dy: str, x: str, sizes: tuple[int, ...]) -> Gradients:
    """Windows of 2x2 side by side: dy spread over its window times 1 where x was chosen, else 0.

    Of equal maxima the first counts: each pixel that equals the maximum is worth its rank in the
    window, and the pixel of the most worth is the one. Measured on one thread with ONNX Runtime
    1.31, in milliseconds, beside the indices of the pooling:

        batch, channels, pixels    this   indices
        64, 6, 28x28                1.1       1.8
        64, 16, 10x10               0.4       0.7
        16, 64, 112x112             110        90

    A relu before the pooling passes on what the window of a maximum above 0 hands back: it is asked
    of a quarter of the pixels here.
    """
    left = [size % 2 for size in sizes]
    height, width = (size - rest for size, rest in zip(sizes, left, strict=True))
    if any(left):  # pixels behind the last window
        x = emit.node("Slice", x, emit.ints([0, 0]), emit.ints([height, width]), emit.ints([2, 3]))
    largest = emit.node("Equal", x, doubled(emit, emit.result))
    ranks = emit.floats(((4.0, 3.0) * (width // 2), (2.0, 1.0) * (width // 2)) * (height // 2))
    worth = emit.node("Mul", emit.node("Cast", largest, to=TensorProto.FLOAT), ranks)
    most = emit.node("MaxPool", worth, kernel_shape=[2, 2], strides=[2, 2])
    chosen = emit.node("Equal", worth, doubled(emit, most))

    def handed_back(dy: str) -> str:
        dx = masked(emit, chosen, doubled(emit, dy))
        return emit.node("Pad", dx, emit.ints([0, 0, 0, 0, 0, 0, *left])) if any(left) else dx

    above = emit.node("Greater", emit.result, emit.floats(0.0))
    return Gradients((handed_back(dy),), {}, before_relu=handed_back(masked(emit, above, dy)))


def doubled(emit: Emitter, x: str) -> str:
    """Each pixel four times, as a square."""
    return emit.node(
        "Resize",
        x,
        "",
        emit.floats([1.0, 1.0, 2.0, 2.0]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def window_sums(emit: Emitter, dy: str, axes: tuple[Axis, ...]) -> str:
    """Each pixel gathers the dy of the windows that see it."""
    channels, *sizes = known(emit.inputs[0], emit.layer.op.name)
    ones = emit.floats(filled(1.0, axes), (channels, 1, *(a.kernel for a in axes)))
    return spread(emit, dy, ones, tuple(sizes), axes, channels)


@differentiates(AvgPool)
def avgpool(op: AvgPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """Each window hands dy, divided by how many of its pixels count, to all its pixels."""
    _, *sizes = known(emit.inputs[0], op.name)
    axes = op.axes(tuple(sizes), emit.facts)
    counts = [tap_counts(n, a, op.count_pad) for n, a in zip(sizes, axes, strict=True)]
    if all(len(each) == 1 for each in counts):
        share = emit.node("Mul", dy, emit.floats(1 / prod(each[0] for each in counts)))
        return by_inputs(window_sums(emit, share, axes))
    for place, each in enumerate(counts):
        dims = emit.ints([-1, *([1] * (len(axes) - 1 - place))])
        shares = emit.node("Reshape", emit.floats([1 / count for count in each]), dims)
        dy = emit.node("Mul", dy, shares)
    return by_inputs(window_sums(emit, dy, axes))


@differentiates(LpPool)
def lppool(op: LpPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """sign(x) |x|^(p - 1) y^(1 - p); 0 in a window of zeros."""
    _, *sizes = known(emit.inputs[0], op.name)
    axes = op.axes(tuple(sizes), emit.facts)
    some = emit.node("Greater", emit.result, emit.floats(0.0))
    base = emit.node("Where", some, emit.result, emit.floats(1.0))
    power = emit.node("Pow", base, emit.floats(1.0 - op.p))
    share = masked(emit, some, emit.node("Mul", dy, power))
    steep = emit.node("Pow", emit.node("Abs", x), emit.floats(op.p - 1.0))
    signed = emit.node("Mul", emit.node("Sign", x), steep)
    return by_inputs(emit.node("Mul", window_sums(emit, share, axes), signed))
