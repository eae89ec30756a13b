"""Poolings to a fixed output size in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool, GlobalMaxPool


@lowers(GlobalAveragePool)
def gap(op: GlobalAveragePool, emit: Emitter, x: str) -> str:
    """A GlobalAveragePool."""
    return emit.node("GlobalAveragePool", x)


@lowers(GlobalMaxPool)
def gmp(op: GlobalMaxPool, emit: Emitter, x: str) -> str:
    """A GlobalMaxPool."""
    return emit.node("GlobalMaxPool", x)


@lowers(AdaptiveAvgPool)
def adaptive_avgpool(op: AdaptiveAvgPool, emit: Emitter, x: str) -> str:
    """Axis by axis a mean, or a product with the matrix of the parts' shares."""
    if all(parts == 1 for parts in emit.output[1:]):
        return emit.node("GlobalAveragePool", x)
    last = len(emit.output)
    for axis, (size, parts) in enumerate(
        zip(emit.inputs[0][1:], emit.output[1:], strict=True), start=2
    ):
        if parts == 1:
            x = emit_mean(emit, x, axis)
        elif isinstance(size, int) and isinstance(parts, int) and parts != size:
            matrix = emit.floats(averages(size, parts))
            if axis == last:
                x = emit.node("MatMul", x, matrix)
                continue
            swapped = [*range(last + 1)]
            swapped[axis], swapped[last] = last, axis
            x = emit.node("MatMul", emit.node("Transpose", x, perm=swapped), matrix)
            x = emit.node("Transpose", x, perm=swapped)
    return x


def averages(size: int, parts: int) -> tuple[tuple[float, ...], ...]:
    """The matrix [size, parts] that takes an axis to the means of its parts."""
    bounds = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    return tuple(
        tuple(1 / (end - start) if start <= pixel < end else 0.0 for start, end in bounds)
        for pixel in range(size)
    )


def emit_mean(emit: Emitter, x: str, axis: int) -> str:
    """The mean along one axis, which stays with size 1; opset 18 made `axes` an input."""
    if emit.opset < 18:
        return emit.node("ReduceMean", x, axes=[axis], keepdims=1)
    return emit.node("ReduceMean", x, emit.ints([axis]), keepdims=1)
