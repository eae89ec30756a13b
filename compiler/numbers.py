"""Which tensors hold whole numbers: inputs of type i64, which lead into tables and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.graph import Graph, Input, Node
from compiler.ops.base import Op, ShapeError, Shapes
from compiler.ops.gathering import Gather, Take
from compiler.ops.shapes import per_sample_axis
from compiler.ops.tensors import Const


def is_whole(node: Node) -> bool:
    """Whether a tensor holds whole numbers, of 64 bits."""
    return isinstance(node.op, Input) and node.op.dtype == "i64"


def rows_of(op: Op, shapes: Shapes) -> int | None:
    """How many places the table of an op has, which its whole numbers lie below; None if open."""
    if isinstance(op, Gather):
        return op.rows
    if not isinstance(op, Take):
        return None
    size = shapes[0][per_sample_axis(op.axis, shapes[0], op.name)]
    return size if isinstance(size, int) else None


def check_numbers(op: Op, sources: Sequence[Node]) -> None:
    """Raise E309 unless whole numbers stand where an op takes them, and only there."""
    for place, source in enumerate(sources):
        if place in op.whole_inputs and not is_whole(source) and not isinstance(source.op, Const):
            raise ShapeError(
                "E309",
                f"{op.name} takes whole numbers",
                label=f"{source.name} holds others",
                help=f"an input of them is written {source.name}: i64[…]"
                if isinstance(source.op, Input)
                else "they come from an input of type i64, or from a const",
            )
        if is_whole(source) and place not in (*op.whole_inputs, *op.class_inputs):
            raise ShapeError(
                "E309",
                f"{op.name} takes no whole numbers",
                label=f"{source.name} is of type i64",
                help="`gather(rows, channels)` makes a vector of each of them",
            )
        if place in op.whole_inputs and isinstance(source.op, Const):
            check_places(op, source.op, rows_of(op, tuple(node.shape for node in sources)))


def check_places(op: Op, index: Const, rows: int | None) -> None:
    """Raise E306 where a fixed index leads outside of its table."""
    for place in flat(index.values):
        if place != int(place) or place < 0 or (rows is not None and place >= rows):
            last = "" if rows is None else f" to {rows - 1}"
            raise ShapeError(
                "E306", f"{op.name} takes whole numbers from 0{last}", label=f"{place:g}"
            )


def flat(values: object) -> Sequence[float]:
    """The numbers in nested tuples, in order; none where the weights have them."""
    if values is None:
        return ()
    if isinstance(values, tuple):
        return [number for value in values for number in flat(value)]
    assert isinstance(values, float)
    return (values,)


def limits_of(graph: Graph) -> dict[str, int]:
    """For each input of whole numbers what they lie below, by the smallest table they lead into."""
    found: dict[str, int] = {}
    for node in graph.nodes():
        for place in node.op.whole_inputs:
            source = graph[node.inputs[place]]
            rows = rows_of(node.op, graph.input_shapes(node))
            if is_whole(source) and rows is not None:
                found[source.name] = min(rows, found.get(source.name, rows))
    return found
