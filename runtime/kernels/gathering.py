"""Places of a table in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.gathering import Gather, Take
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Gather)
def gather(op: Gather, inputs: Inputs, arrays: Arrays) -> Array:
    """The row of each whole number."""
    return arrays["weight"][inputs[0].astype(np.int64)]


@kernel(Take)
def take(op: Take, inputs: Inputs, arrays: Arrays) -> Array:
    """Of each sample the places of its table that its index says."""
    table, index = inputs
    axis = op.axis % (table.ndim - 1)
    pairs = zip(table, index.astype(np.int64), strict=True)
    return np.stack([rows.take(places, axis=axis) for rows, places in pairs])
