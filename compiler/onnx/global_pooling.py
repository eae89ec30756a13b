"""Poolings to a fixed output size in ONNX."""

from __future__ import annotations

from compiler.dims import Size
from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.reducing import reduced
from compiler.onnx.windows import emit_slice
from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)


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
    """Axis by axis a mean, or a product with the matrix of the parts' shares.

    Where only the running model knows the size, the mean of each part by itself.
    """
    if all(parts == 1 for parts in emit.output[1:]):
        return emit.node("GlobalAveragePool", x)
    last = len(emit.output)
    for axis, (size, parts) in enumerate(
        zip(emit.inputs[0][1:], op.parts(last - 1), strict=True), start=2
    ):
        if parts == 1:
            x = reduced(emit, "ReduceMean", x, [axis - 1], True)
        elif not isinstance(size, int):
            x = emit_parts(emit, "ReduceMean", x, axis, size, parts)
        elif parts != size:
            matrix = emit.floats(averages(size, parts))
            if axis == last:
                x = emit.node("MatMul", x, matrix)
                continue
            swapped = [*range(last + 1)]
            swapped[axis], swapped[last] = last, axis
            x = emit.node("MatMul", emit.node("Transpose", x, perm=swapped), matrix)
            x = emit.node("Transpose", x, perm=swapped)
    return x


@lowers(AdaptiveMaxPool)
def adaptive_maxpool(op: AdaptiveMaxPool, emit: Emitter, x: str) -> str:
    """A MaxPool where the parts are equal, else axis by axis the largest of each part."""
    sizes, parts = emit.inputs[0][1:], op.parts(len(emit.output) - 1)
    if all(n == 1 for n in parts):
        return emit.node("GlobalMaxPool", x)
    pairs = list(zip(sizes, parts, strict=True))
    kernel = [s // n for s, n in pairs if isinstance(s, int) and s % n == 0]
    if len(kernel) == len(sizes):
        return emit.node("MaxPool", x, kernel_shape=kernel, strides=kernel)
    for axis, (size, n) in enumerate(pairs, start=2):
        if size != n:
            x = emit_parts(emit, "ReduceMax", x, axis, size, n)
    return x


def emit_parts(emit: Emitter, kind: str, x: str, axis: int, size: Size, parts: int) -> str:
    """Each of the parts of an ONNX axis reduced to one number, one behind the other."""
    found = [
        reduced(emit, kind, emit_slice(emit, x, axis, *bounds), [axis - 1], True)
        for bounds in bounds_of(size, parts)
    ]
    return emit.node("Concat", *found, axis=axis) if parts > 1 else found[0]


def bounds_of(size: Size, parts: int) -> list[tuple[Size, Size]]:
    """Where the parts begin and end: floor(iW/n) and ceil((i + 1)W/n)."""
    return [(i * size // parts, ((i + 1) * size + parts - 1) // parts) for i in range(parts)]


def averages(size: int, parts: int) -> tuple[tuple[float, ...], ...]:
    """The matrix [size, parts] that takes an axis to the means of its parts."""
    bounds = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    return tuple(
        tuple(1 / (end - start) if start <= pixel < end else 0.0 for start, end in bounds)
        for pixel in range(size)
    )
