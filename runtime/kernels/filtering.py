"""Fixed kernels in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.filtering import Filter, WeightedPool
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.convolution import correlate
from runtime.kernels.windows import Slide, padded, slides


def on_each_channel(x: Array, values: Array, axes: tuple[Slide, ...]) -> Array:
    """A padded input correlated with one kernel [taps…], channel by channel."""
    weight = np.broadcast_to(values, (x.shape[1], 1, *values.shape))
    return correlate(x, weight, axes, groups=x.shape[1])


@kernel(Filter)
def filter_(op: Filter, inputs: Inputs, arrays: Arrays) -> Array:
    """The same fixed kernel on every channel by itself."""
    x = inputs[0]
    values = np.asarray(op.kernel_values, dtype=x.dtype)
    axes = slides(x.shape[2:], values.shape, op.stride, op.pad)
    return on_each_channel(padded(x, axes, op.pad_mode), values, axes)


@kernel(WeightedPool)
def weightedpool(op: WeightedPool, inputs: Inputs, arrays: Arrays) -> Array:
    """The same weights, normalised to sum 1, on every channel by itself."""
    x = inputs[0]
    weights = np.asarray(op.kernel_values, dtype=np.float64)
    weights = (weights / weights.sum()).astype(x.dtype)
    return on_each_channel(x, weights, slides(x.shape[2:], weights.shape, op.stride))
