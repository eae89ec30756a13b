"""A part of one axis in NumPy."""

from __future__ import annotations

from compiler.ops.slicing import Slice
from runtime.kernels import Array, Arrays, kernel


@kernel(Slice)
def slice_(op: Slice, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The places first, first + step, … up to last along a per-sample axis."""
    x = inputs[0]
    places = range(op.first, op.last + (1 if op.step > 0 else -1), op.step)
    return x.take(places, axis=op.axis % (x.ndim - 1) + 1)
