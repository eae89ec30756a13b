"""Places of a table by whole numbers: embeddings, and values by an index."""

from __future__ import annotations

from typing import ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import INIT, arg, whole
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes, Weight, show_shape
from compiler.ops.shapes import per_sample_axis
from compiler.ops.sizes import AXIS, MOST_AXES
from grammar.records import dataclass

MOST_ROWS = 2**24  # float32 counts no further


def check_axes(shape: Shape, op: str) -> Shape:
    """The shape itself; raises E305 beyond the most axes that a tensor has."""
    if len(shape) > MOST_AXES:
        raise ShapeError("E305", f"{op} would make a tensor of more than {MOST_AXES} axes")
    return shape


@dataclass(frozen=True)
class Gather(Op, name="gather", group="connect"):
    """A learned vector for each whole number: an embedding (Mikolov et al. 2013).

    Whole numbers [T] below `rows`, from an `input tokens: i64[T]`, become [T, channels]. Its weight
    has PyTorch's layout, that of nn.Embedding: [rows, channels].
    """

    holds_weights: ClassVar[bool] = True
    whole_inputs: ClassVar[tuple[int, ...]] = (0,)

    rows: int = arg(whole(1), doc="how many vectors; the whole numbers are 0 to rows - 1")
    channels: int = arg(whole(1), doc="the size of a vector")
    init: str = arg(INIT, "normal(1)", "distribution of the initial weight")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        if self.rows > MOST_ROWS:
            raise ShapeError(
                "E306",
                f"a table has at most {MOST_ROWS:,} rows, since float32 counts no further",
                argument="rows",
                label=f"{self.rows:,}",
            )
        return check_axes((*inputs[0], self.channels), self.name)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        shape = (self.rows, self.channels)
        return (Weight("weight", shape, self.init, fan_in=self.rows, fan_out=self.channels),)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class Take(Op, name="take", group="connect"):
    """The values of a table at the places that an index says, along an axis: NumPy's `take`.

    `take(table, index)` of [R, C] and whole numbers [K] below R is [K, C]. The index is an
    `input … : i64[K]` or a `const`: the relative positions of a window's pixels (Liu et al. 2021,
    section 3.2).
    """

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2
    whole_inputs: ClassVar[tuple[int, ...]] = (1,)

    axis: int = arg(AXIS, 0, "the table's axis; negative counts from the end")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        table, index = inputs
        if not table or not index:
            raise ShapeError(
                "E305",
                "take works along an axis of a table, by an index with at least one axis",
                label=f"{show_shape(table)} and {show_shape(index)}",
            )
        axis = per_sample_axis(self.axis, table, self.name)
        return check_axes((*table[:axis], *index, *table[axis + 1 :]), self.name)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


def rows_of(op: Op, shapes: Shapes) -> int | None:
    """How many places the table of an op has, which its whole numbers lie below; None if open."""
    if isinstance(op, Gather):
        return op.rows
    if not isinstance(op, Take):
        return None
    size = shapes[0][per_sample_axis(op.axis, shapes[0], op.name)]
    return size if isinstance(size, int) else None
