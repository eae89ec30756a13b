"""Places of a table in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.gathering import Gather, Take
from compiler.ops.shapes import per_sample_axis


@lowers(Gather)
def gather(op: Gather, emit: Emitter, x: str) -> str:
    """A Gather of the rows."""
    return emit.node("Gather", emit.weight("weight"), emit.whole(x))


@lowers(Take)
def take(op: Take, emit: Emitter, table: str, index: str) -> str:
    """A Gather where one of both is the same for all samples, else a GatherND of each sample.

    The table comes as [N, rows, others], and what is taken goes back to the table's axis.
    """
    rank, count = len(emit.inputs[0]), len(emit.inputs[1])
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name)
    index = emit.whole(index)
    if emit.is_stretched(1):
        return emit.node("Gather", table, index, axis=axis + 1)
    if emit.is_stretched(0):
        found = emit.node("Gather", table, index, axis=axis)
        return turned(emit, found, [axis, *range(axis), *range(axis + 1, rank + count)])
    rows = turned(emit, table, [0, axis + 1, *others(axis, rank)])
    places = emit.node("Unsqueeze", index, emit.ints([-1]))
    found = emit.node("GatherND", rows, places, batch_dims=1)
    taken = [*range(1, count + 1)]
    rest = [*range(count + 1, count + rank)]
    return turned(emit, found, [0, *rest[:axis], *taken, *rest[axis:]])


def others(axis: int, rank: int) -> list[int]:
    """The ONNX axes of a table but for the batch and the one along which is taken."""
    return [place for place in range(1, rank + 1) if place != axis + 1]


def turned(emit: Emitter, x: str, order: Sequence[int]) -> str:
    """The axes in this order; as they are where that is it."""
    return x if [*order] == [*range(len(order))] else emit.node("Transpose", x, perm=[*order])
