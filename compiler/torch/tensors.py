"""Tensors that come from no input in PyTorch: parameters and buffers of the class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from compiler.ops.tensors import Const, Param
from compiler.torch import writes
from compiler.torch.layer import Layer, text_length, text_of
from compiler.torch.progressions import listed

MOST_NUMBERS = 16  # of a table that is written as it is


@writes(Param)
def param(op: Param, layer: Layer) -> str:
    """nn.Parameter."""
    sizes = ", ".join(map(str, op.shape))
    kind, _, rest = op.init.partition("(")
    number = rest.rstrip(")")
    (weight,) = layer.weights
    deviations = {
        "normal": number,
        "he": f"{math.sqrt(2 / weight.fan_in):.6g}",
        "lecun": f"{math.sqrt(1 / weight.fan_in):.6g}",
        "xavier": f"{math.sqrt(2 / (weight.fan_in + weight.fan_out)):.6g}",
    }
    if kind == "zero":
        layer.parameter = f"nn.Parameter(torch.zeros({sizes}))"
    elif kind == "constant":
        layer.parameter = f"nn.Parameter(torch.full({text_of(tuple(op.shape))}, {float(number)}))"
    else:
        layer.parameter = f"nn.Parameter({deviations[kind]} * torch.randn({sizes}))"
    return layer.reference


@writes(Const)
def const(op: Const, layer: Layer) -> str:
    """A buffer; one of fixed numbers is none of the state."""
    if op.values is None:
        layer.buffer = f"torch.zeros({', '.join(map(str, op.shape))})"
    else:
        layer.buffer, layer.persistent = tensor_of(op.values, layer.output), False
    return layer.reference


def tensor_of(values: Any, shape: Sequence[Any]) -> str:
    """A table of numbers as a tensor; many of them, and fewer where it is shorter, as a rule."""
    flat = [float(value) for value in flattened(values)]
    ruled = f"torch.tensor({listed(flat)}, dtype=torch.float32)"
    ruled += f".view({', '.join(map(str, shape))})" * (len(shape) > 1)
    plain = f"torch.tensor({text_of(values)})" if len(flat) <= MOST_NUMBERS else ruled
    return min(plain, ruled, key=text_length)


def flattened(values: Any) -> Iterator[Any]:
    """The numbers of a table in order."""
    if isinstance(values, tuple | list):
        for each in values:
            yield from flattened(each)
    else:
        yield values
