"""Ops that give the same values another shape."""

from __future__ import annotations

from math import prod
from typing import Any

from compiler.dims import Size, SymbolicError
from compiler.domain import Facts
from compiler.ops.arguments import arg
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes, show_shape
from compiler.ops.shapes import per_sample_axis
from compiler.ops.sizes import AXIS, MOST_AXES, PERMUTATION, SIZES
from grammar.records import dataclass


@dataclass(frozen=True)
class Flatten(Op, name="flatten", group="shape"):
    """All values of a sample as one vector, the last axis running fastest.

    `first=1` leaves the channels, and makes one axis of the pixels: [C, H, W] becomes [C, H*W].
    """

    first: int = arg(AXIS, 0, "the first of the axes that become one; 0 is the channels")

    def kept(self, shape: Shape) -> int:
        """How many axes stay; raises E305."""
        return per_sample_axis(self.first, shape, self.name, "first") if self.first else 0

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        (shape,) = inputs
        kept = self.kept(shape)
        return (*shape[:kept], prod(shape[kept:]))

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class Reshape(Op, name="reshape", group="shape"):
    """The same values in the same order under another shape; -1 stands for what is left over."""

    shape: Any = arg(SIZES, doc="the sizes of a sample, channels first")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(self.shape) > MOST_AXES:
            raise ShapeError("E305", f"a tensor has 1 to {MOST_AXES} sizes", argument="shape")
        total = prod(inputs[0])
        rest = prod(size for size in self.shape if size != -1)
        left = quotient(total, rest, facts) if -1 in self.shape else 1
        if left is None or not facts.equal(left * rest, total):
            words = "do not divide by" if -1 in self.shape else "come in, but the shape has"
            raise ShapeError(
                "E301",
                "reshape keeps the number of values",
                argument="shape",
                label=f"{total} values {words} {rest}",
                help=None if -1 in self.shape else "-1 stands for what is left over",
            )
        return tuple(left if size == -1 else size for size in self.shape)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


def quotient(total: Size, rest: Size, facts: Facts) -> Size | None:
    """`total` divided by `rest`, None where it has no closed form."""
    try:
        return facts.simplify(total // rest)
    except SymbolicError:
        return None


def moved_sizes(given: Shape, shape: Shape, facts: Facts) -> dict[int, int | None]:
    """The symbolic sizes that do not stay on their axis: new axis to old, None for a new size."""
    found: dict[int, int | None] = {}
    for index, size in enumerate(shape):
        if isinstance(size, int) or (index < len(given) and facts.equal(given[index], size)):
            continue
        found[index] = next((i for i, old in enumerate(given) if facts.equal(old, size)), None)
    return found


@dataclass(frozen=True)
class Transpose(Op, name="transpose", group="shape"):
    """The axes of a sample in another order, 0 being the channels."""

    order: Any = arg(PERMUTATION, doc="for each new axis the old one, as [1, 0, 2]")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if len(self.order) != len(inputs[0]):
            raise ShapeError(
                "E305",
                "transpose names every axis once",
                argument="order",
                label=f"{len(self.order)} axes, but the input "
                f"{show_shape(inputs[0])} has {len(inputs[0])}",
            )
        return tuple(inputs[0][axis] for axis in self.order)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE
