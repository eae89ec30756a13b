"""Joins in NumPy."""

from __future__ import annotations

from functools import reduce

import numpy as np

from compiler.ops.joins import Add, Concat, Div, Join, Max, Mean, Min, Mul, Sub
from runtime.kernels import Array, Arrays, Inputs, in_place, kernel

REDUCED: dict[type[Join], np.ufunc] = {
    Add: np.add,
    Mul: np.multiply,
    Max: np.maximum,
    Min: np.minimum,
}


def lined_up(inputs: Inputs) -> tuple[Array, ...]:
    """The branches with as many axes; those of fewer get axes of size 1 behind the samples."""
    rank = max(x.ndim for x in inputs)
    return tuple(x.reshape(len(x), *[1] * (rank - x.ndim), *x.shape[1:]) for x in inputs)


@kernel(*REDUCED)
@in_place
def reduced(op: Join, inputs: Inputs, arrays: Arrays, out: Array | None = None) -> Array:
    """The sum, the product, the largest or the smallest of the branches, number by number."""
    branches = lined_up(inputs)
    alike = all(x.shape == inputs[0].shape for x in inputs)
    place = out if alike else None  # a branch that is stretched has no room for the result
    return reduce(lambda x, y: REDUCED[type(op)](x, y, out=place), branches)


@kernel(Sub)
def sub(op: Sub, inputs: Inputs, arrays: Arrays) -> Array:
    """The first minus the second."""
    first, second = lined_up(inputs)
    return np.asarray(first - second)


@kernel(Div)
def div(op: Div, inputs: Inputs, arrays: Arrays) -> Array:
    """The first divided by the second."""
    first, second = lined_up(inputs)
    return np.asarray(first / second)


@kernel(Mean)
def mean(op: Mean, inputs: Inputs, arrays: Arrays) -> Array:
    """The mean of the branches."""
    return np.asarray(reduce(np.add, lined_up(inputs)) / inputs[0].dtype.type(len(inputs)))


@kernel(Concat)
def concat(op: Concat, inputs: Inputs, arrays: Arrays) -> Array:
    """One behind the other along a per-sample axis."""
    return np.concatenate(inputs, axis=op.axis % (inputs[0].ndim - 1) + 1)
