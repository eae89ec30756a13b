"""Layers in training mode, in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.training import BatchNormTraining
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.normalise import affine, channelwise, standardised


def over_batch(x: Array) -> tuple[int, ...]:
    """The axes of the batch and of all pixels."""
    return (0, *range(2, x.ndim))


@kernel(BatchNormTraining)
def bn(op: BatchNormTraining, inputs: Inputs, arrays: Arrays) -> Array:
    """Standardised over the batch and all pixels, then a factor and offset for each channel."""
    x = inputs[0]
    y = standardised(x, over_batch(x), op.eps)
    if not op.affine:
        return y
    return affine(y, channelwise(arrays["weight"], x), channelwise(arrays["bias"], x))


def running_statistics(op: BatchNormTraining, x: Array, arrays: Arrays) -> dict[str, Array]:
    """The running mean and variance after a batch; the variance without bias, as in PyTorch."""
    axes = over_batch(x)
    count = x.size // x.shape[1]
    unbiased = x.var(axis=axes) * (count / max(count - 1, 1))
    found = {"running_mean": x.mean(axis=axes), "running_var": unbiased}
    share = x.dtype.type(op.momentum)
    return {
        name: np.asarray(arrays[name] + share * (value - arrays[name]))
        for name, value in found.items()
    }
