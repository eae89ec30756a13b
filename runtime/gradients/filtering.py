"""Derivatives of fixed kernels."""

from __future__ import annotations

import numpy as np

from compiler.ops.filtering import Filter, WeightedPool
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.gradients.windows import spread
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.windows import slides


@gradient(Filter)
def filter_(op: Filter, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy spread by the kernel."""
    x = inputs[0]
    values = np.asarray(op.kernel_values, dtype=x.dtype)
    axes = slides(x.shape[2:], values.shape, op.stride, op.pad)
    return by_inputs(spread(dy, x, axes, values, op.pad_mode))


@gradient(WeightedPool)
def weightedpool(
    op: WeightedPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy spread by the normalised weights."""
    x = inputs[0]
    weights = np.asarray(op.kernel_values, dtype=np.float64)
    shares = (weights / weights.sum()).astype(x.dtype)
    return by_inputs(spread(dy, x, slides(x.shape[2:], shares.shape, op.stride), shares))
