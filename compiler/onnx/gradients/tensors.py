"""Derivatives of tensors that come from no input in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import summed
from compiler.ops.tensors import Const, Param


@differentiates(Param)
def param(op: Param, emit: Emitter, dy: str) -> Gradients:
    """The sum over the batch."""
    return Gradients((), {"": summed(emit, dy, [0])})


@differentiates(Const)
def const(op: Const, emit: Emitter, dy: str) -> Gradients:
    """None: it takes and learns nothing."""
    return by_inputs()
