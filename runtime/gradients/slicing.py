"""The derivative of taking a part of one axis."""

from __future__ import annotations

import numpy as np

from compiler.ops.slicing import Slice, Split
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


@gradient(Split)
def split(
    op: Split, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy at the places of the part, 0 at those of the others."""
    dx = np.zeros_like(inputs[0])
    axis = op.axis % (dx.ndim - 1) + 1
    sizes = [dy.shape[axis]] * op.parts if isinstance(op.parts, int) else op.parts
    first = sum(sizes[: op.part])
    np.moveaxis(dx, axis, 0)[first : first + dy.shape[axis]] = np.moveaxis(dy, axis, 0)
    return by_inputs(dx)
