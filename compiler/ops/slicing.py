"""A part of one axis."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.ops.arguments import Kind, arg, known_whole, whole
from compiler.ops.base import Op, Reach, Sampling, Shape, ShapeError, Shapes
from compiler.ops.shapes import per_sample_axis
from compiler.ops.sizes import AXIS
from grammar.records import dataclass


def _step(value: Any) -> int:
    if known_whole(value) == 0:
        raise ValueError
    return int(value)


STEP = Kind("a whole number other than 0", _step)


@dataclass(frozen=True)
class Slice(Op):
    """The values from `first` to `last`, both included, along an axis, or each `step`-th of them.

    A negative step goes backwards, from a `first` behind to a `last` in front.
    """

    name: ClassVar[str] = "slice"
    group: ClassVar[str] = "shape"

    first: int = arg(whole(0), doc="the first place, counted from 0")
    last: int = arg(whole(0), doc="the last place, itself included")
    step: int = arg(STEP, 1, "from one place to the next")
    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        axis = per_sample_axis(self.axis, inputs[0], self.name)
        size = inputs[0][axis]
        count = (self.last - self.first) // self.step + 1
        if count < 1:
            raise ShapeError(
                "E306",
                "a slice goes from its first place to its last",
                argument="last",
                label=f"no step of {self.step} leads from {self.first} to {self.last}",
            )
        for name, place in (("first", self.first), ("last", self.last)):
            if isinstance(size, int) and place >= size:
                raise ShapeError(
                    "E306",
                    "a slice lies inside its input",
                    argument=name,
                    label=f"{place}, but the places are 0 to {size - 1}",
                    help="the first and the last are both included",
                )
        return (*inputs[0][:axis], count, *inputs[0][axis + 1 :])

    def conditions(self, inputs: Shapes, facts: Facts) -> tuple[tuple[Size, int], ...]:
        size = inputs[0][per_sample_axis(self.axis, inputs[0], self.name)]
        return ((size, max(self.first, self.last) + 1),) if isinstance(size, Dim) else ()

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        axis = per_sample_axis(self.axis, inputs[0], self.name)
        same, moved = Sampling(Fraction(1)), Sampling(Fraction(self.step), Fraction(self.first))
        places = tuple(moved if i == axis else same for i in range(1, len(inputs[0])))
        return Reach("sampled", samplings=places)
