"""One number for all along some axes, and division by a norm."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, POSITIVE, arg
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, Shapes, along_axis
from compiler.ops.shapes import per_sample_axes, per_sample_axis
from compiler.ops.sizes import AXES, AXIS
from grammar.records import dataclass


@dataclass(frozen=True)
class Reduce(Op, group="connect"):
    """What the reductions share. The axes go, or stay with size 1; of all of them [] is left."""

    axis: Any = arg(AXES, None, "one axis, or several; 0 is the channels", default_text="all axes")
    keep: bool = arg(FLAG, False, "the axes stay with size 1, so that [C, H, W] becomes [C, 1, 1]")

    def places(self, shape: Shape) -> tuple[int, ...]:
        """The axes that are reduced, in order; raises E305."""
        return per_sample_axes(self.axis, shape, self.name)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        (shape,) = inputs
        axes = self.places(shape)
        if self.keep:
            return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        return tuple(size for axis, size in enumerate(shape) if axis not in axes)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        if not self.keep:
            return EVERYWHERE
        spatial = tuple(axis - 1 for axis in self.places(inputs[0]) if axis)
        return Reach("everywhere", along=spatial)


@dataclass(frozen=True)
class ReduceMean(Reduce, name="reduce_mean"):
    """The mean along some axes, which go unless `keep` says otherwise; of all axes [] is left."""

    in_float32: ClassVar[bool] = True


@dataclass(frozen=True)
class ReduceSum(Reduce, name="reduce_sum"):
    """The sum along some axes, which go unless `keep` says otherwise; of all axes [] is left."""

    in_float32: ClassVar[bool] = True


@dataclass(frozen=True)
class ReduceMax(Reduce, name="reduce_max"):
    """The largest along some axes, which go unless `keep` says otherwise; of all [] is left."""


@dataclass(frozen=True)
class ReduceMin(Reduce, name="reduce_min"):
    """The smallest along some axes, which go unless `keep` says otherwise; of all [] is left."""


@dataclass(frozen=True)
class L2Norm(Op, name="l2norm", group="normalise"):
    """x divided by its length along an axis, the root of the sum of squares, or by eps if larger.

    PyTorch's `normalize`; the L2 normalisation of SSD is along the channels (Liu et al. 2016).
    """

    in_float32: ClassVar[bool] = True

    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")
    eps: float = arg(POSITIVE, 1e-12, "the least length")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        per_sample_axis(self.axis, inputs[0], self.name)
        return inputs[0]

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return along_axis(self.axis, output)
