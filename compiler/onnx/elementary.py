"""Elementary functions in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.base import Op
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power

ONE_NODE: dict[type[Op], str] = {Absolute: "Abs", Exponential: "Exp", Logarithm: "Log"}


@lowers(*ONE_NODE)
def one_node(op: Op, emit: Emitter, x: str) -> str:
    """The operator of the same meaning."""
    return emit.node(ONE_NODE[type(op)], x)


@lowers(Power)
def power(op: Power, emit: Emitter, x: str) -> str:
    """A Pow."""
    return emit.node("Pow", x, emit.floats(op.exponent))
