"""Tensors that come from no input in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.tensors import Const, Param


@lowers(Param)
def param(op: Param, emit: Emitter) -> str:
    """The initializer, once for each sample unless it is stretched by all who take it."""
    return emit.for_samples(emit.weight(""))


@lowers(Const)
def const(op: Const, emit: Emitter) -> str:
    """A constant, or the initializer, once for each sample."""
    held = emit.weight("") if op.values is None else emit.floats(op.values)
    return emit.for_samples(held)
