"""Joins in PyTorch."""

from __future__ import annotations

from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from compiler.torch import writes
from compiler.torch.layer import Layer, dimension

SIGNS = {Add: " + ", Mul: " * ", Sub: " - ", Div: " / "}


@writes(*SIGNS)
def arithmetic(op: Add | Mul | Sub | Div, layer: Layer, *inputs: str) -> str:
    """The operator."""
    return inputs[0] if len(inputs) == 1 else f"({SIGNS[type(op)].join(inputs)})"


@writes(Mean)
def mean(op: Mean, layer: Layer, *inputs: str) -> str:
    """The sum over how many there are."""
    return f"(({' + '.join(inputs)}) / {len(inputs)})"


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
