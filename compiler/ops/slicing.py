"""A part of one axis, and all of its parts."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.domain.suggestions import asserting, suggest_equal
from compiler.ops.arguments import Kind, arg, known_whole, whole
from compiler.ops.base import Op, Reach, Sampling, Shape, ShapeError, Shapes, show_shape
from compiler.ops.shapes import per_sample_axis
from compiler.ops.sizes import AXIS
from grammar.records import dataclass


def _step(value: Any) -> int:
    if known_whole(value) == 0:
        raise ValueError
    return int(value)


STEP = Kind("a whole number other than 0", _step)


@dataclass(frozen=True)
class Slice(Op, name="slice", group="shape"):
    """The values from `first` to `last`, both included, along an axis, or each `step`-th of them.

    A negative step goes backwards, from a `first` behind to a `last` in front.
    """

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


def _parts(value: Any) -> int | tuple[int, ...]:
    if isinstance(value, list | tuple) and value:
        sizes = tuple(map(known_whole, value))
        if min(sizes) < 1:
            raise ValueError
        return sizes
    if known_whole(value) < 1:
        raise ValueError
    return int(value)


PARTS = Kind("how many equal parts, a whole number of at least 1, or a list of their sizes", _parts)
PART = Kind(
    "a whole number of at least 0, a part", lambda v: None if v is None else whole(0).convert(v)
)


@dataclass(frozen=True)
class Split(Op, name="split", group="shape"):
    """An axis cut into parts, each a tensor: `query, key, value = split(3, axis=1)`.

    The parts are equal, or of the sizes of a list. `split(3) as heads` has them as `heads[0]`,
    `heads[1]`, …; with a `part` it gives this one alone.
    """

    parts: Any = arg(PARTS, doc="how many equal parts, or a list of their sizes")
    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")
    part: int | None = arg(
        PART, None, "only this one of them, counted from 0", default_text="all of them"
    )

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self.parts if isinstance(self.parts, int) else len(self.parts)

    def sizes(self, shape: Shape, facts: Facts) -> tuple[Size, ...]:
        """The sizes of all parts; raises E306, or E307 where nothing proves that they fit."""
        size = shape[per_sample_axis(self.axis, shape, self.name)]
        if isinstance(self.parts, int):
            if not facts.equal(size % self.parts, 0):
                raise does_not_divide(size, self.parts, facts)
            return (size // self.parts,) * self.parts
        if not facts.equal(size, sum(self.parts)):
            raise ShapeError(
                "E306",
                "the parts of a split are the whole axis",
                argument="parts",
                label=f"{' + '.join(map(str, self.parts))} = {sum(self.parts)}, "
                f"and the axis of {show_shape(shape)} has {size}",
            )
        return tuple(self.parts)

    def bounds(self, shape: Shape, facts: Facts) -> tuple[Size, Size]:
        """Where the part begins, and where the next one does."""
        sizes = self.sizes(shape, facts)
        first = sum(sizes[: self.part], 0)
        return first, first + sizes[self.part or 0]

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        (shape,) = inputs
        axis = per_sample_axis(self.axis, shape, self.name)
        sizes = self.sizes(shape, facts)
        if self.part is None or self.part >= self.count:
            raise ShapeError(
                "E306",
                f"the parts of this split are 0 to {self.count - 1}",
                argument="part",
                label=str(self.part),
            )
        return (*shape[:axis], sizes[self.part], *shape[axis + 1 :])

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        axis = per_sample_axis(self.axis, inputs[0], self.name)
        first = self.bounds(inputs[0], facts)[0]
        if axis and not isinstance(first, int):
            return Reach("everywhere", along=(axis - 1,))
        offset = Fraction(first) if isinstance(first, int) else Fraction(0)
        same, moved = Sampling(Fraction(1)), Sampling(Fraction(1), offset)
        places = tuple(moved if i == axis else same for i in range(1, len(inputs[0])))
        return Reach("sampled", samplings=places)


def does_not_divide(size: Size, parts: int, facts: Facts) -> ShapeError:
    """The mistake of an axis that is not cut into equal parts."""
    symbolic = isinstance(size, Dim)
    assertion = suggest_equal(facts, (size % parts, 0)) if symbolic else ""
    return ShapeError(
        "E307" if symbolic else "E306",
        "a split into equal parts needs a multiple of their number",
        argument="parts",
        label=f"{size} is not {'proved ' if symbolic else ''}a multiple of {parts}",
        help=asserting(assertion, "prove") if symbolic else "a list of sizes cuts it otherwise",
    )
