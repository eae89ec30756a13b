"""Fixed kernels in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.domain import Facts
from compiler.ops.arrays import nested_shape
from compiler.ops.filtering import Filter, WeightedPool
from runtime.kernels import Array, Arrays, kernel
from runtime.kernels.windows import depthwise, padded


@kernel(Filter)
def filter_(op: Filter, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same fixed kernel on every channel."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    kernels = np.asarray(op.kernel_values, dtype=x.dtype)[np.newaxis]
    return depthwise(padded(x, axes, op.pad_mode), kernels, axes)


@kernel(WeightedPool)
def weightedpool(op: WeightedPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same weights, normalised to sum 1, on every channel."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    weights = np.asarray(op.kernel_values, dtype=np.float64)
    assert weights.shape == nested_shape(op.kernel_values)
    return depthwise(x, (weights / weights.sum()).astype(x.dtype)[np.newaxis], axes)
