"""Derivatives of the elementary functions."""

from __future__ import annotations

import numpy as np

from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Absolute)
def absolute(op: Absolute, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The sign of x, 0 at 0."""
    return by_inputs(dy * np.sign(inputs[0]))


@gradient(Exponential)
def exponential(
    op: Exponential, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """e^x."""
    return by_inputs(dy * output)


@gradient(Logarithm)
def logarithm(op: Logarithm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1/x."""
    return by_inputs(dy / inputs[0])


@gradient(Power)
def power(op: Power, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """exponent x^(exponent - 1); a power of 0 is constant."""
    if op.exponent == 0:
        return by_inputs(np.zeros_like(dy))
    x = inputs[0]
    return by_inputs(dy * op.exponent * np.power(x, x.dtype.type(op.exponent - 1)))
