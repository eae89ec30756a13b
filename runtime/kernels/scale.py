"""Constant arithmetic in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from compiler.ops.scale import Normalize, Scale, Shift
from runtime.kernels import Array, Arrays, Inputs, kernel


def per_channel(values: Any, x: Array) -> Array:
    """A number, or one for each channel, shaped to broadcast over `x`."""
    return np.asarray(values, dtype=x.dtype).reshape(-1, *([1] * (x.ndim - 2)))


@kernel(Scale)
def scale(op: Scale, inputs: Inputs, arrays: Arrays) -> Array:
    """x * factor."""
    return np.asarray(inputs[0] * per_channel(op.factor, inputs[0]))


@kernel(Shift)
def shift(op: Shift, inputs: Inputs, arrays: Arrays) -> Array:
    """x + offset."""
    return np.asarray(inputs[0] + per_channel(op.offset, inputs[0]))


@kernel(Normalize)
def normalize(op: Normalize, inputs: Inputs, arrays: Arrays) -> Array:
    """(x - mean)/std."""
    x = inputs[0]
    return np.asarray((x - per_channel(op.mean, x)) / per_channel(op.std, x))
