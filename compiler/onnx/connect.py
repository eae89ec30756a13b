"""Dense layers, matrix products, and layers that hand on what they get, in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul


@lowers(Dense)
def dense(op: Dense, emit: Emitter, x: str) -> str:
    """A Gemm of a vector; of other tensors a MatMul along the axis, which is moved where it must.

    Along the last but one the weight stands on the left.
    """
    rank, axis = len(emit.output), op.along(emit.inputs[0])
    weight = emit.weight("weight")
    if rank == 1:
        bias = [emit.weight("bias")] if op.bias else []
        return emit.node("Gemm", x, weight, *bias, transB=1)
    if axis == rank - 2:
        return with_bias(op, emit, emit.node("MatMul", weight, x), (-1, 1))
    columns = emit.node("Transpose", weight, perm=[1, 0])
    if axis == rank - 1:
        return with_bias(op, emit, emit.node("MatMul", x, columns), (-1,))
    order = [*range(rank + 1)]
    order[axis + 1], order[rank] = rank, axis + 1
    moved = emit.node("MatMul", emit.node("Transpose", x, perm=order), columns)
    return emit.node("Transpose", with_bias(op, emit, moved, (-1,)), perm=order)


def with_bias(op: Dense, emit: Emitter, y: str, shape: tuple[int, ...]) -> str:
    """The product plus the bias of each unit."""
    if not op.bias:
        return y
    bias = emit.weight("bias")
    return emit.node(
        "Add", y, bias if len(shape) == 1 else emit.node("Reshape", bias, emit.ints(shape))
    )


@lowers(MatMul)
def matmul(op: MatMul, emit: Emitter, a: str, b: str) -> str:
    """A MatMul."""
    return emit.node("MatMul", a, b)


@lowers(Identity, Dropout, DropPath)
def identity(op: Identity, emit: Emitter, x: str) -> str:
    """Nothing: the output is the input."""
    return x
