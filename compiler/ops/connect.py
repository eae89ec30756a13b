"""Dense layers, and layers that hand on what they get."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from compiler.dims import Size
from compiler.domain import Facts
from compiler.ops.arguments import FLAG, FRACTION, arg, init_argument, whole
from compiler.ops.arrays import FIXED_VALUES
from compiler.ops.base import (
    EVERYWHERE,
    Op,
    Reach,
    Shape,
    ShapeError,
    Shapes,
    Weight,
    along_axis,
    show_shape,
)
from compiler.ops.shapes import check_fixed, known, per_sample_axis
from compiler.ops.sizes import OPTIONAL_AXIS
from grammar.diagnostics import Before, Remedy
from grammar.records import dataclass


@dataclass(frozen=True)
class Dense(Op, name="dense", group="connect"):
    """Fully connected layer: every output is a weighted sum of all inputs plus a bias.

    Its weight has PyTorch's layout [units, inputs]; the input is a vector. With an `axis` it goes
    along that axis of any tensor, the same for all else: `dense(64, axis=-1)` takes tokens [T, C]
    to [T, 64], as PyTorch's Linear, and `axis=0` each pixel of a map.
    """

    holds_weights: ClassVar[bool] = True

    units: int = arg(whole(1), doc="how many outputs")
    bias: bool = arg(FLAG, True, "add a learnable number to each output")
    init: str = init_argument()
    weight: Any = arg(FIXED_VALUES, None, "fixed values of the weight", default_text="learned")
    axis: int | None = arg(
        OPTIONAL_AXIS, None, "the axis, negative from the end", default_text="that of a vector"
    )

    def along(self, shape: Shape) -> int:
        """The axis, counted from 0; raises E305 where it must be said."""
        if self.axis is not None:
            return per_sample_axis(self.axis, shape, self.name)
        if len(shape) != 1:
            raise ShapeError(
                "E305",
                "dense takes a vector",
                label=f"the input is {show_shape(shape)}",
                help=Remedy("add `flatten` before it", (Before("flatten"),)),
            )
        return 0

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        (shape,) = inputs
        axis = self.along(shape)
        known((shape[axis],), self.name)
        check_fixed(self.weight, self.weights(inputs)[0].shape, self.name)
        return (*shape[:axis], self.units, *shape[axis + 1 :])

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        (features,) = known((inputs[0][self.along(inputs[0])],), self.name)
        weight = Weight(
            "weight",
            (self.units, features),
            self.init,
            fan_in=features,
            fan_out=self.units,
            values=self.weight,
        )
        return (weight, Weight("bias", (self.units,), "zero")) if self.bias else (weight,)

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        axis = self.along(inputs[0])
        others = prod(size for place, size in enumerate(output) if place != axis)
        return others * self.weights(inputs)[0].size

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE if len(output) == 1 else along_axis(self.along(output), output)


@dataclass(frozen=True)
class MatMul(Op, name="matmul", group="connect"):
    """The matrix product of two tensors over their last two axes: [..., M, K] by [..., K, N].

    The axes before these are alike, or a size of 1 stretches. Attention is `matmul(q, k)` with k
    transposed, softmax, and `matmul` again (Vaswani et al. 2017, section 3.2.1).
    """

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        left, right = inputs
        if len(left) != len(right) or len(left) < 2:
            raise ShapeError(
                "E305",
                "matmul takes two tensors of one rank, with rows and columns",
                label=f"{show_shape(left)} and {show_shape(right)}",
            )
        if not facts.equal(left[-1], right[-2]):
            transposed = facts.equal(left[-1], right[-1])
            order = [*range(len(right) - 2), len(right) - 1, len(right) - 2]
            raise ShapeError(
                "E304",
                "the columns of the first are the rows of the second",
                label=f"{left[-1]} columns, {right[-2]} rows",
                help=f"`transpose({order})` of the second would do" if transposed else None,
            )
        lead = []
        for a, b in zip(left[:-2], right[:-2], strict=True):
            if 1 not in (a, b) and not facts.equal(a, b):
                raise ShapeError(
                    "E304", "sizes disagree at matmul", label=f"{a} and {b} before the matrices"
                )
            lead.append(b if a == 1 else a)
        return (*lead, left[-2], right[-1])

    def macs(self, inputs: Shapes, output: Shape) -> Size:
        return prod(output) * inputs[0][-1]

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class Identity(Op, name="identity", group="connect"):
    """Hands on what it gets: the bare shortcut of a residual block."""

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class Dropout(Identity, name="dropout"):
    """Drops values at random while training (Srivastava et al. 2014); hands on when run."""

    p: float = arg(FRACTION, 0.5, "the share that is dropped")


@dataclass(frozen=True)
class DropPath(Dropout, name="drop_path"):
    """Drops a branch of a sample as a whole while training (Huang et al. 2016); hands on when run.

    What stays is divided by 1 - p, as in timm.
    """

    p: float = arg(FRACTION, doc="the share of samples whose branch is dropped")
