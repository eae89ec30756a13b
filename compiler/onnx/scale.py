"""Constant arithmetic for each channel in ONNX."""

from __future__ import annotations

from typing import Any

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.scale import Normalize, Scale, Shift


def channel_constant(emit: Emitter, values: Any) -> str:
    """A constant that broadcasts over the axes after the channels."""
    numbers = values if isinstance(values, tuple) else (values,)
    rank = len(emit.inputs[0]) - 1
    for _ in range(rank):
        numbers = tuple((n,) for n in numbers)
    return emit.floats(numbers)


@lowers(Scale)
def scale(op: Scale, emit: Emitter, x: str) -> str:
    """A Mul."""
    return emit.node("Mul", x, channel_constant(emit, op.factor))


@lowers(Shift)
def shift(op: Shift, emit: Emitter, x: str) -> str:
    """An Add."""
    return emit.node("Add", x, channel_constant(emit, op.offset))


@lowers(Normalize)
def normalize(op: Normalize, emit: Emitter, x: str) -> str:
    """A Sub and a Div."""
    centred = emit.node("Sub", x, channel_constant(emit, op.mean))
    return emit.node("Div", centred, channel_constant(emit, op.std))
