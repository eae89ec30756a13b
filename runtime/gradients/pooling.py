"""Derivatives of the poolings."""

from __future__ import annotations

import numpy as np

from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.gradients.windows import padded_zeros, spread, taps, unpadded
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.pooling import counts, slides_of
from runtime.kernels.windows import padded


@gradient(MaxPool)
def maxpool(op: MaxPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy goes to the largest pixel of its window, of equal ones to the first, row by row."""
    x = inputs[0]
    axes = slides_of(op, x)
    seen = padded(x, axes, fill=-np.inf)
    dx, free = padded_zeros(x, axes), np.ones(dy.shape, dtype=bool)
    for _, places in taps(axes, dy.shape[2:]):
        wins = free & (seen[places] == output)
        dx[places] += np.where(wins, dy, 0)
        free &= ~wins
    return by_inputs(unpadded(dx, x.shape[2:], axes, "zero"))


@gradient(AvgPool)
def avgpool(op: AvgPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each window hands dy, divided by how many of its pixels count, to all its pixels."""
    x = inputs[0]
    axes = slides_of(op, x)
    return by_inputs(spread(dy / counts(op, x, axes), x, axes))


@gradient(LpPool)
def lppool(op: LpPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """sign(x) |x|^(p - 1) y^(1 - p); 0 in a window of zeros."""
    x = inputs[0]
    axes = slides_of(op, x)
    share = dy * np.where(output > 0, output, 1) ** (1.0 - op.p) * (output > 0)
    steep = np.sign(x) * np.abs(x) ** (op.p - 1)
    return by_inputs(spread(share, x, axes) * steep)
