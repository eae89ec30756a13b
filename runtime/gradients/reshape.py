"""Derivatives of the ops that give the same values another shape."""

from __future__ import annotations

import numpy as np

from compiler.ops.reshape import Flatten, Reshape, Transpose
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Flatten, Reshape)
def reshape(
    op: Flatten | Reshape, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy under the input's shape."""
    return by_inputs(dy.reshape(inputs[0].shape))


@gradient(Transpose)
def transpose(op: Transpose, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The axes back in their order."""
    back = np.argsort(op.order)
    return by_inputs(dy.transpose(0, *(int(axis) + 1 for axis in back)))
