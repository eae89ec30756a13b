"""Dense layers, and layers that hand on what they get, in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.connect import Dense, Dropout, Identity


@lowers(Dense)
def dense(op: Dense, emit: Emitter, x: str) -> str:
    """A Gemm."""
    bias = [emit.weight("bias")] if op.bias else []
    return emit.node("Gemm", x, emit.weight("weight"), *bias, transB=1)


@lowers(Identity, Dropout)
def identity(op: Identity, emit: Emitter, x: str) -> str:
    """Nothing: the output is the input."""
    return x
