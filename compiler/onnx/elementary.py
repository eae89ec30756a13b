"""Elementary functions in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power


@lowers(Absolute)
def absolute(op: Absolute, emit: Emitter, x: str) -> str:
    """An Abs."""
    return emit.node("Abs", x)


@lowers(Exponential)
def exponential(op: Exponential, emit: Emitter, x: str) -> str:
    """An Exp."""
    return emit.node("Exp", x)


@lowers(Logarithm)
def logarithm(op: Logarithm, emit: Emitter, x: str) -> str:
    """A Log."""
    return emit.node("Log", x)


@lowers(Power)
def power(op: Power, emit: Emitter, x: str) -> str:
    """A Pow."""
    return emit.node("Pow", x, emit.floats(op.exponent))
