"""Poolings to a fixed output size in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool, GlobalMaxPool
from runtime.kernels import Array, Arrays, kernel


@kernel(GlobalAveragePool)
def gap(op: GlobalAveragePool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The mean of each map."""
    return np.asarray(inputs[0].mean(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(GlobalMaxPool)
def gmp(op: GlobalMaxPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest value of each map."""
    return np.asarray(inputs[0].max(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(AdaptiveAvgPool)
def adaptive_avgpool(op: AdaptiveAvgPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The mean of each part, one axis after the other."""
    x = inputs[0]
    for axis, parts in enumerate(op.parts(x.shape[2:]), start=2):
        means = [
            x.take(range(start, end), axis=axis).mean(axis=axis, keepdims=True)
            for start, end in parts
        ]
        x = np.concatenate(means, axis=axis)
    return x
