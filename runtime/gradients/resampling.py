"""The derivative of a map's resizing: along each axis the transposed matrix of weights."""

from __future__ import annotations

import numpy as np

from compiler.ops.resampling import Resize
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.resampling import weights


@gradient(Resize)
def resize(op: Resize, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each input pixel gathers dy by its weight in every output pixel."""
    x = inputs[0]
    rank = x.ndim - 2
    scales = op.scale if isinstance(op.scale, tuple) else (op.scale,) * rank
    for axis, (wanted, scale) in enumerate(zip(output.shape[2:], scales, strict=True), start=2):
        matrix = weights(op, x.shape[axis], wanted, scale).astype(dy.dtype)
        dy = np.moveaxis(np.tensordot(dy, matrix, axes=(axis, 0)), -1, axis)
    return by_inputs(np.ascontiguousarray(dy))
