"""Joins in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from compiler.torch import writes
from compiler.torch.layer import Layer, dimension

SIGNS = {Add: ("+", "add"), Mul: ("*", "mul"), Sub: ("-", "sub"), Div: ("/", "div")}
MANY = 100  # operands, of which Python reads no expression of any number


@writes(*SIGNS)
def arithmetic(op: Add | Mul | Sub | Div, layer: Layer, *inputs: str) -> str:
    """The operator."""
    return inputs[0] if len(inputs) == 1 else between(SIGNS[type(op)], layer, inputs)


def between(sign: tuple[str, str], layer: Layer, inputs: Sequence[str]) -> str:
    """Tensors with an operator between them."""
    operator, function = sign
    if len(inputs) < MANY:
        return f"({f' {operator} '.join(inputs)})"
    return f"{layer.helper('in_turn')}(torch.{function}, {', '.join(inputs)})"


@writes(Mean)
def mean(op: Mean, layer: Layer, *inputs: str) -> str:
    """The sum over how many there are."""
    return f"({between(SIGNS[Add], layer, inputs)} / {len(inputs)})"


@writes(Max, Min)
def extreme(op: Max | Min, layer: Layer, *inputs: str) -> str:
    """A helper: torch.maximum shares the derivative of equal branches out."""
    if len(inputs) == 1:
        return inputs[0]
    return f"{layer.helper('larger' if isinstance(op, Max) else 'smaller')}({', '.join(inputs)})"


@writes(Concat)
def concat(op: Concat, layer: Layer, *inputs: str) -> str:
    """torch.cat behind the batch."""
    axis = dimension(op.axis, len(layer.shape))
    return inputs[0] if len(inputs) == 1 else f"torch.cat(({', '.join(inputs)}), {axis})"
