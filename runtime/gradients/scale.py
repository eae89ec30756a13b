"""Derivatives of constant arithmetic."""

from __future__ import annotations

from compiler.ops.scale import Normalize, Scale, Shift
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays
from runtime.kernels.scale import per_channel


@gradient(Scale)
def scale(
    op: Scale, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """The factor."""
    return by_inputs(dy * per_channel(op.factor, dy))


@gradient(Shift)
def shift(
    op: Shift, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1."""
    return by_inputs(dy)


@gradient(Normalize)
def normalize(
    op: Normalize, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1/std."""
    return by_inputs(dy / per_channel(op.std, dy))
