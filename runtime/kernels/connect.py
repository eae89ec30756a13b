"""Dense layers in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.connect import Dense, Dropout, Identity
from runtime.kernels import Array, Arrays, kernel


@kernel(Dense)
def dense(op: Dense, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x W^T + b."""
    y = inputs[0] @ arrays["weight"].T
    return np.asarray(y + arrays["bias"] if "bias" in arrays else y)


@kernel(Identity, Dropout)
def identity(op: Identity, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """What came in."""
    return inputs[0]
