"""Elementary functions in PyTorch."""

from __future__ import annotations

from compiler.ops.activate import Activation
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from compiler.torch import writes
from compiler.torch.layer import Layer

FUNCTIONS: dict[type[Activation], str] = {
    Absolute: "torch.abs",
    Exponential: "torch.exp",
    Logarithm: "torch.log",
}


@writes(*FUNCTIONS)
def elementary(op: Activation, layer: Layer, x: str) -> str:
    """The function."""
    return f"{FUNCTIONS[type(op)]}({x})"


@writes(Power)
def power(op: Power, layer: Layer, x: str) -> str:
    """x ** exponent."""
    return f"torch.pow({x}, {op.exponent})"
