"""Poolings in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.domain import Facts
from compiler.ops.base import Axis
from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from runtime.kernels import Array, Arrays, kernel
from runtime.kernels.windows import fold, padded


@kernel(MaxPool)
def maxpool(op: MaxPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest of each window; padding is minus infinity."""
    axes = op.axes(inputs[0].shape[2:], Facts())
    return fold(np.maximum, padded(inputs[0], axes, fill=-np.inf), axes)


@kernel(AvgPool)
def avgpool(op: AvgPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The sum of each window divided by how many of its pixels count.

    The padding counts if the op says so; what `ceil` adds beyond it never does.
    """
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    pads = tuple(Axis(1, before=a.before, after=a.after) for a in axes)
    beyond = tuple(Axis(1, overhang=a.overhang) for a in axes)
    ones = np.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    counted = padded(padded(ones, pads, fill=float(op.count_pad)), beyond)
    total = fold(np.add, padded(x, axes), axes)
    total /= fold(np.add, counted, axes)
    return total


@kernel(LpPool)
def lppool(op: LpPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """(sum |x|^p)^(1/p) of each window."""
    axes = op.axes(inputs[0].shape[2:], Facts())
    powers = np.abs(inputs[0]) ** op.p
    total = fold(np.add, padded(powers, axes), axes)
    return np.power(total, 1 / op.p, dtype=total.dtype)
