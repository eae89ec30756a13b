"""Parts of one axis in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.sizes import emit_sizes
from compiler.ops.shapes import per_sample_axis
from compiler.ops.slicing import Slice, Split

FIRST = -(2**62)  # "down to the first" in an ONNX Slice that goes backwards


@lowers(Slice)
def slice_(op: Slice, emit: Emitter, x: str) -> str:
    """A Slice."""
    end = op.last + (1 if op.step > 0 else -1)
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name) + 1
    bounds = ([op.first], [FIRST if end < 0 else end], [axis], [op.step])
    return emit.node("Slice", x, *map(emit.ints, bounds))


@lowers(Split)
def split(op: Split, emit: Emitter, x: str) -> str:
    """A Slice."""
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name) + 1
    first, end = (emit_sizes(emit, [size]) for size in op.bounds(emit.inputs[0], emit.facts))
    return emit.node("Slice", x, first, end, emit.ints([axis]))
