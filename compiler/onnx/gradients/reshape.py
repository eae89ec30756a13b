"""Derivatives of the ops that give the same values another shape, in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import like
from compiler.ops.reshape import Flatten, Reshape, Transpose


@differentiates(Flatten, Reshape)
def reshape(op: Flatten | Reshape, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy under the input's shape."""
    return by_inputs(like(emit, dy, x))


@differentiates(Transpose)
def transpose(op: Transpose, emit: Emitter, dy: str, x: str) -> Gradients:
    """The axes back in their order."""
    back = sorted(range(len(op.order)), key=lambda axis: op.order[axis])
    return by_inputs(emit.node("Transpose", dy, perm=[0, *(axis + 1 for axis in back)]))
