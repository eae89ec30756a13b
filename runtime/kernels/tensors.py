"""Tensors that come from no input in NumPy, for one sample: the interpreter repeats them."""

from __future__ import annotations

import numpy as np

from compiler.ops.tensors import Const, Param
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Param)
def param(op: Param, inputs: Inputs, arrays: Arrays) -> Array:
    """The learned numbers."""
    return arrays[""][None]


@kernel(Const)
def const(op: Const, inputs: Inputs, arrays: Arrays) -> Array:
    """The fixed numbers, as float32 holds them."""
    return arrays[""][None] if op.values is None else np.asarray([op.values], dtype=np.float32)
