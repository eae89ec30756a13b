"""Derivatives of dense layers and matrix products."""

from __future__ import annotations

import numpy as np

from compiler.ops.connect import Dense, Dropout, DropPath, Identity, MatMul
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.gradients.joins import gathered
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.connect import back, behind


@gradient(Dense)
def dense(op: Dense, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy W by the input, dy^T x by the weight, the sum of dy over all else by the bias."""
    weight = arrays["weight"]
    moved = behind(dy, op.axis)
    rows = moved.reshape(-1, weight.shape[0])
    by_arrays = {"weight": rows.T @ behind(inputs[0], op.axis).reshape(-1, weight.shape[1])}
    if "bias" in arrays:
        by_arrays["bias"] = rows.sum(axis=0)
    return Gradients((back(moved @ weight, op.axis),), by_arrays)


@gradient(MatMul)
def matmul(op: MatMul, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy b^T and a^T dy."""
    a, b = inputs
    by_a, by_b = dy @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ dy
    return by_inputs(gathered(np.asarray(by_a), a), gathered(np.asarray(by_b), b))


@gradient(Identity, Dropout, DropPath)
def identity(op: Identity, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy: a dropout that drops nothing."""
    return by_inputs(dy)
