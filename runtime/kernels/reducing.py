"""Reductions and division by a norm in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compiler.ops.reducing import L2Norm, Reduce, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.normalise import places

FUNCTIONS: dict[type[Reduce], Callable[..., Any]] = {
    ReduceMean: np.mean,
    ReduceSum: np.sum,
    ReduceMax: np.max,
    ReduceMin: np.min,
}


@kernel(*FUNCTIONS)
def reduce(op: Reduce, inputs: Inputs, arrays: Arrays) -> Array:
    """One number for all along the axes."""
    x = inputs[0]
    return np.asarray(FUNCTIONS[type(op)](x, axis=places(op.axis, x), keepdims=op.keep))


@kernel(L2Norm)
def l2norm(op: L2Norm, inputs: Inputs, arrays: Arrays) -> Array:
    """x/max(|x|, eps)."""
    x = inputs[0]
    return np.asarray(x / lengths(x, op.axis, op.eps))


def lengths(x: Array, axis: int, eps: float) -> Array:
    """max(|x|, eps) along an axis, which stays."""
    squares = np.square(x).sum(axis=places(axis, x), keepdims=True)
    return np.asarray(np.maximum(np.sqrt(squares), x.dtype.type(eps)))
