"""Dense layers and matrix products in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul
from runtime.kernels import Array, Arrays, Inputs, kernel


def behind(x: Array, axis: int | None) -> Array:
    """A view with an axis of the sample, or the only one, as the last."""
    return np.moveaxis(x, 1 if axis is None else axis % (x.ndim - 1) + 1, -1)


def back(x: Array, axis: int | None) -> Array:
    """A view with the last axis where `behind` took it from."""
    return np.moveaxis(x, -1, 1 if axis is None else axis % (x.ndim - 1) + 1)


@kernel(Dense)
def dense(op: Dense, inputs: Inputs, arrays: Arrays) -> Array:
    """x W^T + b along an axis."""
    y = behind(inputs[0], op.axis) @ arrays["weight"].T
    return back(np.asarray(y + arrays["bias"] if "bias" in arrays else y), op.axis)


@kernel(MatMul)
def matmul(op: MatMul, inputs: Inputs, arrays: Arrays) -> Array:
    """The products of the matrices in the last two axes."""
    return np.asarray(inputs[0] @ inputs[1])


@kernel(Identity, Dropout, DropPath)
def identity(op: Identity, inputs: Inputs, arrays: Arrays) -> Array:
    """What came in."""
    return inputs[0]
