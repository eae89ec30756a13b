"""The derivative of taking a part of one axis."""

from __future__ import annotations

import numpy as np

from compiler.ops.slicing import Slice, Split
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Slice)
def slice_(op: Slice, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy at the places taken, 0 at the others."""
    return by_inputs(put_back(inputs[0], dy, op.axis, op.first, op.step))


def put_back(x: Array, dy: Array, per_sample_axis: int, first: int, step: int = 1) -> Array:
    """dy at every `step`-th place of an axis of x from `first` on, 0 elsewhere."""
    dx = np.zeros_like(x)
    axis = per_sample_axis % (dx.ndim - 1) + 1
    places = [first + i * step for i in range(dy.shape[axis])]
    np.moveaxis(dx, axis, 0)[places] = np.moveaxis(dy, axis, 0)
    return dx


@gradient(Split)
def split(op: Split, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy at the places of the part, 0 at those of the others."""
    width = dy.shape[op.axis % (dy.ndim - 1) + 1]
    before = width * op.part if isinstance(op.parts, int) else sum(op.parts[: op.part])
    return by_inputs(put_back(inputs[0], dy, op.axis, before))
