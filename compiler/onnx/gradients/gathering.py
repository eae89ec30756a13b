"""Derivatives of places of a table in ONNX: what was taken several times sums."""

from __future__ import annotations

from math import prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.gathering import others, turned
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.ops.gathering import Gather, Take
from compiler.ops.shapes import known, per_sample_axis


@differentiates(Gather)
def gather(op: Gather, emit: Emitter, dy: str, x: str) -> Gradients:
    """Each row sums dy where it was taken; whole numbers have no derivative."""
    zeros = emit.node("ConstantOfShape", emit.ints([op.rows, op.channels]))
    places = emit.node("Reshape", emit.whole(x), emit.ints([-1, 1]))
    given = emit.node("Reshape", dy, emit.ints([-1, op.channels]))
    rows = emit.node("ScatterND", zeros, places, given, reduction="add")
    return Gradients((None,), {"weight": rows})


@differentiates(Take)
def take(op: Take, emit: Emitter, dy: str, table: str, index: str) -> Gradients:
    """Each place sums dy where it was taken; whole numbers have no derivative.

    A table [N, R, others] is [N * R, others], and the index of sample n counts from n * R.
    """
    shape, places = (known(sizes, op.name) for sizes in emit.inputs)
    rank, count = len(shape), len(places)
    axis = per_sample_axis(op.axis, shape, op.name)
    size, width = shape[axis], prod(shape) // shape[axis]
    rest = [place for place in range(1, rank + count) if not axis < place <= axis + count]
    front = turned(emit, dy, [0, *range(axis + 1, axis + count + 1), *rest])
    given = emit.node("Reshape", front, emit.ints([-1, width]))
    batch = emit.node("Gather", emit.node("Shape", dy), emit.ints(0))
    samples = emit.node("Range", emit.ints(0), batch, emit.ints(1))
    starts = emit.node("Mul", emit.node("Reshape", samples, emit.ints([-1, 1])), emit.ints([size]))
    each = emit.node("Reshape", emit.whole(index), emit.ints([-1, prod(places)]))
    lines = emit.node("Reshape", emit.node("Add", each, starts), emit.ints([-1, 1]))
    long = emit.node("Mul", emit.node("Reshape", batch, emit.ints([1])), emit.ints([size]))
    sizes = emit.node("Concat", long, emit.ints([width]), axis=0)
    zeros = emit.node("ConstantOfShape", sizes)
    summed = emit.node("ScatterND", zeros, lines, given, reduction="add")
    moved = [shape[place - 1] for place in others(axis, rank)]
    wide = emit.node("Reshape", summed, emit.ints([-1, size, *moved]))
    order = [*range(2, rank + 1)]
    return by_inputs(turned(emit, wide, [0, *order[:axis], 1, *order[axis:]]), None)
