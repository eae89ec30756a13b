"""Poolings in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.windows import Slide, fold, padded, slides


def slides_of(op: MaxPool | AvgPool | LpPool, x: Array) -> tuple[Slide, ...]:
    """The window of a pooling along each axis of its input."""
    return slides(x.shape[2:], op.kernel, op.stride, op.pad, op.dilation, op.ceil)


@kernel(MaxPool)
def maxpool(op: MaxPool, inputs: Inputs, arrays: Arrays) -> Array:
    """The largest of each window; padding is minus infinity."""
    axes = slides_of(op, inputs[0])
    return fold(np.maximum, padded(inputs[0], axes, fill=-np.inf), axes)


@kernel(AvgPool)
def avgpool(op: AvgPool, inputs: Inputs, arrays: Arrays) -> Array:
    """The sum of each window divided by how many of its pixels count.

    The padding counts if the op says so; what `ceil` adds beyond it never does.
    """
    x = inputs[0]
    axes = slides_of(op, x)
    total = fold(np.add, padded(x, axes), axes)
    total /= counts(op, x, axes)
    return total


def counts(op: AvgPool, x: Array, axes: tuple[Slide, ...]) -> Array:
    """How many pixels count in each window, as an array of one sample and channel."""
    pads = tuple(Slide(before=a.before, after=a.after) for a in axes)
    beyond = tuple(Slide(overhang=a.overhang) for a in axes)
    ones = np.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    return fold(np.add, padded(padded(ones, pads, fill=float(op.count_pad)), beyond), axes)


@kernel(LpPool)
def lppool(op: LpPool, inputs: Inputs, arrays: Arrays) -> Array:
    """(sum |x|^p)^(1/p) of each window."""
    axes = slides_of(op, inputs[0])
    powers = np.abs(inputs[0]) ** op.p
    total = fold(np.add, padded(powers, axes), axes)
    return np.power(total, 1 / op.p, dtype=total.dtype)
