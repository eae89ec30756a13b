"""Tensors that come from no input in PyTorch: parameters and buffers of the class."""

from __future__ import annotations

import math

from compiler.ops.tensors import Const, Param
from compiler.torch import writes
from compiler.torch.layer import Layer, text_of


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
        layer.buffer, layer.persistent = f"torch.tensor({text_of(op.values)})", False
    return layer.reference
