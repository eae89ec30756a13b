"""Poolings in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.domain import Facts
from compiler.ops.base import Axis
from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from runtime.kernels import Array, Arrays, kernel
from runtime.kernels.windows import padded, window_sum, windows


@kernel(MaxPool)
def maxpool(op: MaxPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest of each window; padding is minus infinity."""
    axes = op.axes(inputs[0].shape[2:], Facts())
    view = windows(padded(inputs[0], axes, fill=-np.inf), axes)
    result = np.full(view.shape[: 2 + len(axes)], -np.inf, dtype=view.dtype)
    for tap in np.ndindex(*(a.kernel for a in axes)):
        np.maximum(result, view[(..., *tap)], out=result)
    return result


@kernel(AvgPool)
def avgpool(op: AvgPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The sum of each window divided by how many of its pixels count."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    counted = np.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    if op.count_pad:  # the padding counts, what ceil adds beyond it does not
        inside = tuple(Axis(1, before=a.before, after=a.after) for a in axes)
        counted = padded(counted, inside, fill=1.0)
        beyond = tuple(Axis(1, overhang=a.overhang) for a in axes)
        counted = padded(counted, beyond)
    else:
        counted = padded(counted, axes)
    return window_sum(padded(x, axes), axes) / window_sum(counted, axes)


@kernel(LpPool)
def lppool(op: LpPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """(sum |x|^p)^(1/p) of each window."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    total = window_sum(padded(np.abs(x) ** op.p, axes), axes)
    return np.asarray(total ** x.dtype.type(1 / op.p))
