"""Derivatives of the elementary functions in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import zeros_like
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power


@differentiates(Absolute)
def absolute(op: Absolute, emit: Emitter, dy: str, x: str) -> Gradients:
    """The sign of x, 0 at 0."""
    return by_inputs(emit.node("Mul", dy, emit.node("Sign", x)))


@differentiates(Exponential)
def exponential(op: Exponential, emit: Emitter, dy: str, x: str) -> Gradients:
    """e^x."""
    return by_inputs(emit.node("Mul", dy, emit.result))


@differentiates(Logarithm)
def logarithm(op: Logarithm, emit: Emitter, dy: str, x: str) -> Gradients:
    """1/x."""
    return by_inputs(emit.node("Div", dy, x))


@differentiates(Power)
def power(op: Power, emit: Emitter, dy: str, x: str) -> Gradients:
    """exponent x^(exponent - 1); a power of 0 is constant."""
    if op.exponent == 0:
        return by_inputs(zeros_like(emit, x))
    if op.exponent == 2:
        lower = x
    else:
        lower = emit.node("Pow", x, emit.floats(op.exponent - 1))
    return by_inputs(emit.node("Mul", dy, emit.node("Mul", lower, emit.floats(op.exponent))))
