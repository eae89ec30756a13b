"""Poolings to a fixed output size in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.windows import each


@kernel(GlobalAveragePool)
def gap(op: GlobalAveragePool, inputs: Inputs, arrays: Arrays) -> Array:
    """The mean of each map."""
    return np.asarray(inputs[0].mean(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(GlobalMaxPool)
def gmp(op: GlobalMaxPool, inputs: Inputs, arrays: Arrays) -> Array:
    """The largest value of each map."""
    return np.asarray(inputs[0].max(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(AdaptiveAvgPool, AdaptiveMaxPool)
def adaptive(op: AdaptiveAvgPool, inputs: Inputs, arrays: Arrays) -> Array:
    """Part i of n along W pixels is that of floor(iW/n) to ceil((i + 1)W/n)."""
    combine = np.max if isinstance(op, AdaptiveMaxPool) else np.mean
    x = inputs[0]
    for axis, parts in enumerate(each(op.size, x.ndim - 2), start=2):
        width = x.shape[axis]
        bounds = [(i * width // parts, -(-(i + 1) * width // parts)) for i in range(parts)]
        means = [combine(x.take(range(*b), axis=axis), axis=axis, keepdims=True) for b in bounds]
        x = np.concatenate(means, axis=axis)
    return x
