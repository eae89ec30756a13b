"""Constant arithmetic for each channel in PyTorch."""

from __future__ import annotations

from compiler.ops.scale import Normalize, Scale, Shift
from compiler.torch import writes
from compiler.torch.layer import Layer, per_channel


@writes(Scale)
def scale(op: Scale, layer: Layer, x: str) -> str:
    """A product."""
    if op.factor == -1.0:
        return f"(-{x})"
    return f"({x} * {per_channel(layer.batch, op.factor, layer.rank)})"


@writes(Shift)
def shift(op: Shift, layer: Layer, x: str) -> str:
    """A sum."""
    return f"({x} + {per_channel(layer.batch, op.offset, layer.rank)})"


@writes(Normalize)
def normalize(op: Normalize, layer: Layer, x: str) -> str:
    """(x - mean)/std."""
    mean, std = (per_channel(layer.batch, v, layer.rank) for v in (op.mean, op.std))
    return f"(({x} - {mean}) / {std})"
