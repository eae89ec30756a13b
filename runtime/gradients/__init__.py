"""The NumPy derivative of every op, a file for each file of `runtime/kernels`.

A gradient takes the op, its inputs (batch first), its arrays by name, its output and the
derivative of the objective by that output, and returns the derivatives by the inputs and by the
arrays that are learned. It is written from the formula, without a look at the ONNX table
(`compiler/onnx/gradients`), so that comparing the two tests both. Where a function has a corner
the value taken is PyTorch's: 0 for relu at 0, and of several largest values the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from compiler.ops import FAMILIES, STEP_FAMILIES
from compiler.ops.base import Op
from compiler.ops.losses import Accuracy
from compiler.registry import Registry
from runtime.kernels import Array, Arrays, Inputs


class Gradients(NamedTuple):
    """The derivatives by each input, None for one that has none, and by each learned array."""

    inputs: tuple[Array | None, ...]
    arrays: Arrays


Rule: TypeAlias = Callable[[Any, tuple[Array, ...], Arrays, Array, Array], Gradients]

GRADIENTS: Registry[type[Op], Rule] = Registry(
    "runtime.gradients", FAMILIES + STEP_FAMILIES, {Accuracy: Accuracy.no_derivative}
)
gradient = GRADIENTS.register


def by_inputs(*inputs: Array | None) -> Gradients:
    """The derivatives of an op that learns nothing."""
    return Gradients(inputs, {})


def run_gradient(op: Op, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The derivatives of one op; as in IEEE 754, what has no value is NaN, without a word."""
    with np.errstate(all="ignore"):
        return GRADIENTS[type(op)](op, inputs, arrays, output, dy)
