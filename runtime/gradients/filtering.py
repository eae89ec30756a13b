"""Derivatives of fixed kernels."""

from __future__ import annotations

import numpy as np

from compiler.ops.filtering import Filter, WeightedPool
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.gradients.windows import padded_zeros, taps, unpadded
from runtime.kernels import Array, Arrays
from runtime.kernels.windows import Slide, slides


def spread(x: Array, values: Array, axes: tuple[Slide, ...], dy: Array, mode: str) -> Array:
    """Each window hands its dy back to its pixels, times the kernel's value there."""
    dx = padded_zeros(x, axes)
    for tap, places in taps(axes, dy.shape[2:]):
        dx[places] += values[tap] * dy
    return unpadded(dx, x.shape[2:], axes, mode)


@gradient(Filter)
def filter_(
    op: Filter, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy spread by the kernel."""
    x = inputs[0]
    values = np.asarray(op.kernel_values, dtype=x.dtype)
    axes = slides(x.shape[2:], values.shape, op.stride, op.pad)
    return by_inputs(spread(x, values, axes, dy, op.pad_mode))


@gradient(WeightedPool)
def weightedpool(
    op: WeightedPool, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy spread by the normalised weights."""
    x = inputs[0]
    weights = np.asarray(op.kernel_values, dtype=np.float64)
    shares = (weights / weights.sum()).astype(x.dtype)
    return by_inputs(spread(x, shares, slides(x.shape[2:], shares.shape, op.stride), dy, "zero"))
