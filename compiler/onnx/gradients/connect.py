"""Derivatives of dense layers and matrix products in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import summed
from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul


@differentiates(Dense)
def dense(op: Dense, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy W by the input, dy^T x by the weight, the sum of dy over all else by the bias."""
    rank, axis = len(emit.output), op.along(emit.inputs[0]) + 1
    units, features = emit.layer.op.weights(emit.inputs)[0].shape
    order = [*range(rank + 1)]
    order[axis], order[rank] = rank, axis
    if axis != rank:
        x, dy = (emit.node("Transpose", tensor, perm=order) for tensor in (x, dy))
    rows, inner = dy, x
    if rank > 1:
        rows = emit.node("Reshape", dy, emit.ints([-1, units]))
        inner = emit.node("Reshape", x, emit.ints([-1, features]))
    arrays = {"weight": emit.node("Gemm", rows, inner, transA=1)}
    if op.bias:
        arrays["bias"] = summed(emit, rows, [0])
    dx = emit.node("MatMul", dy, emit.weight("weight"))
    return Gradients((dx if axis == rank else emit.node("Transpose", dx, perm=order),), arrays)


@differentiates(MatMul)
def matmul(op: MatMul, emit: Emitter, dy: str, a: str, b: str) -> Gradients:
    """dy b^T and a^T dy; what a matrix was stretched over is summed."""
    rank = len(emit.output)
    order = [*range(rank - 1), rank, rank - 1]
    by_a = emit.node("MatMul", dy, emit.node("Transpose", b, perm=order))
    by_b = emit.node("MatMul", emit.node("Transpose", a, perm=order), dy)
    return by_inputs(stretched(emit, by_a, 0), stretched(emit, by_b, 1))


def stretched(emit: Emitter, dx: str, place: int) -> str:
    """The sum over the axes before the matrices along which an input was stretched."""
    pairs = zip(emit.inputs[place][:-2], emit.output[:-2], strict=True)
    axes = [axis for axis, (a, b) in enumerate(pairs, start=1) if a == 1 and b != 1]
    return summed(emit, dx, axes, keep=True) if axes else dx


@differentiates(Identity, Dropout, DropPath)
def identity(op: Identity, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy: a dropout that drops nothing."""
    return by_inputs(dy)
