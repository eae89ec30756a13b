"""Derivatives of dense layers in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import summed
from compiler.ops.connect import Dense, Dropout, Identity


@differentiates(Dense)
def dense(op: Dense, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy W by the input, dy^T x by the weight, the sum of dy over the batch by the bias."""
    arrays = {"weight": emit.node("Gemm", dy, x, transA=1)}
    if op.bias:
        arrays["bias"] = summed(emit, dy, [0])
    return Gradients((emit.node("MatMul", dy, emit.weight("weight")),), arrays)


@differentiates(Identity, Dropout)
def identity(op: Identity, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy: a dropout that drops nothing."""
    return by_inputs(dy)
