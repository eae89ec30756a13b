"""Reductions and division by a norm in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.reducing import L2Norm, Reduce, ReduceMax, ReduceMean, ReduceMin, ReduceSum
from compiler.ops.shapes import per_sample_axis

REDUCTIONS: dict[type[Reduce], str] = {
    ReduceMean: "ReduceMean",
    ReduceSum: "ReduceSum",
    ReduceMax: "ReduceMax",
    ReduceMin: "ReduceMin",
}
AXES_SINCE = {"ReduceSum": 13}  # where the axes are an input; of the others since 18


@lowers(*REDUCTIONS)
def reduce(op: Reduce, emit: Emitter, x: str) -> str:
    """One node."""
    return reduced(emit, REDUCTIONS[type(op)], x, op.places(emit.inputs[0]), op.keep)


def reduced(emit: Emitter, kind: str, x: str, axes: Sequence[int], keep: bool) -> str:
    """A reduction over axes of the sample."""
    places = [axis + 1 for axis in axes]
    if emit.opset < AXES_SINCE.get(kind, 18):
        return emit.node(kind, x, axes=places, keepdims=int(keep))
    return emit.node(kind, x, emit.ints(places), keepdims=int(keep))


@lowers(L2Norm)
def l2norm(op: L2Norm, emit: Emitter, x: str) -> str:
    """Divided by the norm, which is at least eps."""
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name)
    length = reduced(emit, "ReduceL2", x, [axis], True)
    return emit.node("Div", x, emit.node("Max", length, emit.floats(op.eps)))
