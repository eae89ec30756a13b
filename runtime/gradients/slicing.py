"""The derivative of taking a part of one axis."""

from __future__ import annotations

import numpy as np

from compiler.ops.slicing import Slice
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays


@gradient(Slice)
def slice_(
    op: Slice, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy at the places taken, 0 at the others."""
    dx = np.zeros_like(inputs[0])
    axis = op.axis % (dx.ndim - 1) + 1
    places = [op.first + i * op.step for i in range(dy.shape[axis])]
    np.moveaxis(dx, axis, 0)[places] = np.moveaxis(dy, axis, 0)
    return by_inputs(dx)
