"""How the derivative of each op is written in ONNX, a file for each file of `compiler/onnx`.

A function of the table takes the op, an emitter of its layer, the derivative by the layer's output
and the names of its input tensors, writes plain nodes and returns the derivatives by the inputs
and by the arrays that are learned. `emit.result` is the layer's output, `emit.kept` what its
lowering kept. Everything is written; what nobody takes is swept afterwards. ONNX Runtime has no
gradient operators in the packages that run models, so that a step runs wherever ONNX does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from compiler.ops import FAMILIES, STEP_FAMILIES
from compiler.ops.base import Op
from compiler.ops.losses import Accuracy
from compiler.registry import Registry


class Gradients(NamedTuple):
    """The derivatives by each input, None for one that has none, and by each learned array.

    `before_relu` is that by the input of the relu whose output this layer takes, where it is found
    with less work than by way of the relu. It holds if no other layer takes that output.
    """

    inputs: tuple[str | None, ...]
    arrays: dict[str, str]
    before_relu: str | None = None


Rule: TypeAlias = Callable[..., Gradients]

DERIVATIVES: Registry[type[Op], Rule] = Registry(
    "compiler.onnx.gradients", FAMILIES + STEP_FAMILIES, {Accuracy: Accuracy.no_derivative}
)
differentiates = DERIVATIVES.register


def by_inputs(*inputs: str | None) -> Gradients:
    """The derivatives of an op that learns nothing."""
    return Gradients(inputs, {})
