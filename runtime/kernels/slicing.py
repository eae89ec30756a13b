"""Parts of one axis in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.slicing import Slice, Split
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Slice)
def slice_(op: Slice, inputs: Inputs, arrays: Arrays) -> Array:
    """The places first, first + step, … up to last along a per-sample axis."""
    x = inputs[0]
    places = range(op.first, op.last + (1 if op.step > 0 else -1), op.step)
    return x.take(places, axis=op.axis % (x.ndim - 1) + 1)


@kernel(Split)
def split(op: Split, inputs: Inputs, arrays: Arrays) -> Array:
    """One of the parts that the axis is cut into."""
    axis = op.axis % (inputs[0].ndim - 1) + 1
    ends = op.parts if isinstance(op.parts, int) else np.cumsum(op.parts)[:-1]
    return np.split(inputs[0], ends, axis=axis)[op.part or 0]
