"""Tensors that come from no input: learned ones, and fixed ones."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import INIT, arg
from compiler.ops.arrays import TENSOR_VALUES, nested_shape
from compiler.ops.base import Op, Shape, ShapeError, Shapes, Weight
from compiler.ops.sizes import KNOWN_SIZES
from grammar.records import dataclass


@dataclass(frozen=True)
class Param(Op, name="param", group="connect"):
    """A learned tensor, the same for every sample: a position, a class token, a layer's scale.

    It takes nothing: a chain begins with it. Its numbers are called as the layer, without a suffix,
    as PyTorch's `nn.Parameter`: `param([64, 1, 1]) as gamma` is `gamma`.
    """

    least_inputs: ClassVar[int] = 0
    most_inputs: ClassVar[int | None] = 0

    shape: Any = arg(KNOWN_SIZES, doc="the sizes of a sample")
    init: str = arg(INIT, "zero", "distribution of the initial numbers; the first size is fan_out")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return tuple(self.shape)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        fan_in = prod(self.shape[1:])
        return (Weight("", self.shape, self.init, fan_in=fan_in, fan_out=self.shape[0]),)


@dataclass(frozen=True)
class Const(Op, name="const", group="connect"):
    """A fixed tensor, the same for every sample: `const([[0, 1], [1, 0]])` is [2, 2].

    It takes nothing: a chain begins with it. Many numbers stand with the weights: `const(shape=[2,
    4200]) as anchors` is a buffer `anchors`, as PyTorch's `register_buffer`, and 0 without a file.
    """

    least_inputs: ClassVar[int] = 0
    most_inputs: ClassVar[int | None] = 0

    values: Any = arg(TENSOR_VALUES, None, "its numbers", default_text="those of the weights")
    shape: Any = arg(KNOWN_SIZES, None, "its sizes, where the weights have its numbers")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if (self.values is None) == (self.shape is None):
            raise ShapeError(
                "E306",
                "a const has either its numbers or their shape",
                label="here is neither" if self.values is None else "here are both",
                help="const([1, 2, 3]), or const(shape=[3]) with the numbers in the weights",
            )
        shape = nested_shape(self.values) if self.shape is None else self.shape
        if not shape:
            raise ShapeError(
                "E305",
                "a const has at least one axis",
                argument="values",
                label="a single number",
                help="`scale` and `shift` take one",
            )
        return tuple(shape)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return () if self.shape is None else (Weight("", self.shape, "zero", buffer=True),)
