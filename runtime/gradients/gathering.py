"""Derivatives of places of a table: what was taken several times sums."""

from __future__ import annotations

import numpy as np

from compiler.ops.gathering import Gather, Take
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Gather)
def gather(op: Gather, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each row sums dy where it was taken; whole numbers have no derivative."""
    rows = np.zeros_like(arrays["weight"])
    np.add.at(rows, inputs[0].astype(np.int64), dy)
    return Gradients((None,), {"weight": rows})


@gradient(Take)
def take(op: Take, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each place sums dy where it was taken; whole numbers have no derivative."""
    table, index = inputs
    axis, count = op.axis % (table.ndim - 1), index.ndim - 1
    found = np.zeros_like(table)
    for rows, places, given in zip(found, index.astype(np.int64), dy, strict=True):
        front = np.moveaxis(given, range(axis, axis + count), range(count))
        np.add.at(np.moveaxis(rows, axis, 0), places, front)
    return by_inputs(found, None)
