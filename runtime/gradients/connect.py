"""Derivatives of dense layers."""

from __future__ import annotations

from compiler.ops.connect import Dense, Dropout, Identity
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays


@gradient(Dense)
def dense(
    op: Dense, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy W by the input, dy^T x by the weight, the sum of dy over the batch by the bias."""
    by_arrays = {"weight": dy.T @ inputs[0]}
    if "bias" in arrays:
        by_arrays["bias"] = dy.sum(axis=0)
    return Gradients((dy @ arrays["weight"],), by_arrays)


@gradient(Identity, Dropout)
def identity(
    op: Identity, inputs: tuple[Array, ...], arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy: a dropout that drops nothing."""
    return by_inputs(dy)
