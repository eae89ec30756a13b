"""Derivatives of constant arithmetic in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.scale import channel_constant
from compiler.ops.scale import Normalize, Scale, Shift


@differentiates(Scale)
def scale(op: Scale, emit: Emitter, dy: str, x: str) -> Gradients:
    """The factor."""
    return by_inputs(emit.node("Mul", dy, channel_constant(emit, op.factor)))


@differentiates(Shift)
def shift(op: Shift, emit: Emitter, dy: str, x: str) -> Gradients:
    """1."""
    return by_inputs(dy)


@differentiates(Normalize)
def normalize(op: Normalize, emit: Emitter, dy: str, x: str) -> Gradients:
    """1/std."""
    return by_inputs(emit.node("Div", dy, channel_constant(emit, op.std)))
