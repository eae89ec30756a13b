"""The same values under another shape in NumPy."""

from __future__ import annotations

from compiler.ops.reshape import Flatten, Reshape, Transpose
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Flatten)
def flatten(op: Flatten, inputs: Inputs, arrays: Arrays) -> Array:
    """The last axes as one."""
    x = inputs[0]
    kept = op.first % (x.ndim - 1) if op.first else 0
    return x.reshape(*x.shape[: kept + 1], -1)


@kernel(Reshape)
def reshape(op: Reshape, inputs: Inputs, arrays: Arrays) -> Array:
    """The same values, the last axis running fastest, under another shape."""
    return inputs[0].reshape(inputs[0].shape[0], *op.shape)


@kernel(Transpose)
def transpose(op: Transpose, inputs: Inputs, arrays: Arrays) -> Array:
    """The axes in another order."""
    return inputs[0].transpose(0, *(axis + 1 for axis in op.order))
