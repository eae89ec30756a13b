"""Joins in NumPy."""

from __future__ import annotations

from functools import reduce

import numpy as np

from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from runtime.kernels import Array, Arrays, kernel


@kernel(Add)
def add(op: Add, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The sum of the branches."""
    return reduce(np.add, inputs)


@kernel(Mul)
def mul(op: Mul, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The product of the branches."""
    return reduce(np.multiply, inputs)


@kernel(Sub)
def sub(op: Sub, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The first minus the second."""
    return np.asarray(inputs[0] - inputs[1])


@kernel(Div)
def div(op: Div, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The first divided by the second."""
    return np.asarray(inputs[0] / inputs[1])


@kernel(Max)
def max_(op: Max, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest of the branches."""
    return reduce(np.maximum, inputs)


@kernel(Min)
def min_(op: Min, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The smallest of the branches."""
    return reduce(np.minimum, inputs)


@kernel(Mean)
def mean(op: Mean, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The mean of the branches."""
    return np.asarray(reduce(np.add, inputs) / inputs[0].dtype.type(len(inputs)))


@kernel(Concat)
def concat(op: Concat, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """One behind the other along a per-sample axis."""
    return np.concatenate(inputs, axis=op.axis % (inputs[0].ndim - 1) + 1)
