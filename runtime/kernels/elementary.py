"""Elementary functions in NumPy; outside of their domain they give NaN or infinity, quietly."""

from __future__ import annotations

import numpy as np

from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Absolute)
def absolute(op: Absolute, inputs: Inputs, arrays: Arrays) -> Array:
    """|x|."""
    return np.abs(inputs[0])


@kernel(Exponential)
def exponential(op: Exponential, inputs: Inputs, arrays: Arrays) -> Array:
    """e^x."""
    return np.exp(inputs[0])


@kernel(Logarithm)
def logarithm(op: Logarithm, inputs: Inputs, arrays: Arrays) -> Array:
    """log x."""
    return np.log(inputs[0])


@kernel(Power)
def power(op: Power, inputs: Inputs, arrays: Arrays) -> Array:
    """x^exponent."""
    return np.power(inputs[0], inputs[0].dtype.type(op.exponent))
