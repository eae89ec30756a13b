"""Ops that give the same values another shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from compiler.dims import Size, product
from compiler.domain import Facts
from compiler.ops.arguments import (
    PERMUTATION,
    SIZES,
    arg,
)
from compiler.ops.base import (
    EVERYWHERE,
    Emitter,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    show_shape,
)


@dataclass(frozen=True)
class Flatten(Op):
    """All values of a sample as one vector, the last axis running fastest."""

    name: ClassVar[str] = "flatten"
    group: ClassVar[str] = "shape"

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return (product(inputs[0]),)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Flatten", inputs[0], axis=1)


@dataclass(frozen=True)
class Reshape(Op):
    """The same values in the same order under another shape; -1 stands for what is left over."""

    name: ClassVar[str] = "reshape"
    group: ClassVar[str] = "shape"

    shape: Any = arg(SIZES, doc="the sizes of a sample, channels first")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        total = product(inputs[0])
        rest = product(size for size in self.shape if size != -1)
        shape: list[Size] = list(self.shape)
        if -1 in shape:
            left = facts.simplify(total // rest) if isinstance(rest, int) else None
            if left is None or not facts.equal(left * rest, total):
                raise ShapeError(
                    "E301",
                    "reshape keeps the number of values",
                    argument="shape",
                    label=f"{total} values do not divide by {rest}",
                )
            shape[shape.index(-1)] = left
        elif not facts.equal(total, rest):
            raise ShapeError(
                "E301",
                "reshape keeps the number of values",
                argument="shape",
                label=f"{rest} values, but the input has {total}",
            )
        if len(shape) > 4:
            raise ShapeError("E305", "a tensor has 1 to 4 sizes", argument="shape")
        return tuple(shape)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE

    def lower(self, emit: Emitter, *inputs: str) -> str:
        given = emit.inputs[0]
        sizes: list[int] = [0]
        for index, size in enumerate(emit.output):
            if isinstance(size, int):
                sizes.append(size)
            elif index < len(given) and emit.facts.equal(given[index], size):
                sizes.append(0)
            elif -1 not in sizes:
                sizes.append(-1)
            else:
                raise ShapeError("E307", "reshape to several symbolic sizes has no ONNX form")
        return emit.node("Reshape", inputs[0], emit.ints(sizes))


@dataclass(frozen=True)
class Transpose(Op):
    """The axes of a sample in another order, 0 being the channels."""

    name: ClassVar[str] = "transpose"
    group: ClassVar[str] = "shape"

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

    def lower(self, emit: Emitter, *inputs: str) -> str:
        return emit.node("Transpose", inputs[0], perm=[0, *(axis + 1 for axis in self.order)])
