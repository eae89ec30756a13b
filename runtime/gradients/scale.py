"""Derivatives of constant arithmetic."""

from __future__ import annotations

from compiler.ops.scale import Normalize, Scale, Shift
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.scale import per_channel


@gradient(Scale)
def scale(op: Scale, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The factor."""
    return by_inputs(dy * per_channel(op.factor, dy))


@gradient(Shift)
def shift(op: Shift, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1."""
    return by_inputs(dy)


@gradient(Normalize)
def normalize(op: Normalize, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1/std."""
    return by_inputs(dy / per_channel(op.std, dy))
