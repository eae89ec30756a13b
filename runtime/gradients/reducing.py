"""Derivatives of the reductions."""

from __future__ import annotations

import numpy as np

from compiler.ops.reducing import L2Norm, Reduce, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.normalise import places
from runtime.kernels.reducing import lengths


def stretched(op: Reduce, x: Array, dy: Array) -> Array:
    """dy for every value of x."""
    axes = places(op.axis, x)
    kept = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    return np.broadcast_to(dy.reshape(kept), x.shape)


@gradient(ReduceSum)
def reduce_sum(
    op: ReduceSum, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy for every value."""
    return by_inputs(stretched(op, inputs[0], dy))


@gradient(ReduceMean)
def reduce_mean(
    op: ReduceMean, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy over their number for every value."""
    x = inputs[0]
    return by_inputs(stretched(op, x, dy * (output[0].size / x[0].size)))


@gradient(ReduceMax, ReduceMin)
def extreme(
    op: ReduceMax | ReduceMin, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy for the first of the largest, or smallest, values, the last axis running fastest."""
    x = inputs[0]
    axes = places(op.axis, x)
    ends = tuple(range(x.ndim - len(axes), x.ndim))
    turned = np.moveaxis(x, axes, ends)
    flat = turned.reshape(*turned.shape[: ends[0]], -1)
    found = flat.argmax(axis=-1) if isinstance(op, ReduceMax) else flat.argmin(axis=-1)
    dx = np.zeros_like(flat)
    np.put_along_axis(dx, found[..., None], dy.reshape(*flat.shape[:-1], 1), axis=-1)
    return by_inputs(np.moveaxis(dx.reshape(turned.shape), ends, axes))


@gradient(L2Norm)
def l2norm(op: L2Norm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """With a length n above eps: (dy - y sum(dy y))/n, else dy/eps."""
    x = inputs[0]
    axes, length = places(op.axis, x), lengths(x, op.axis, op.eps)
    along = (dy * output).sum(axis=axes, keepdims=True)
    return by_inputs((dy - np.where(length > op.eps, output * along, 0)) / length)
