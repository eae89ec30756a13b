"""Derivatives of tensors that come from no input."""

from __future__ import annotations

from compiler.ops.tensors import Const, Param
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Param)
def param(op: Param, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The sum over the batch."""
    return Gradients((), {"": dy.sum(axis=0)})


@gradient(Const)
def const(op: Const, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """None: it takes and learns nothing."""
    return by_inputs()
