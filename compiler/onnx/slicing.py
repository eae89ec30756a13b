"""A part of one axis in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.shapes import per_sample_axis
from compiler.ops.slicing import Slice

FIRST = -(2**62)  # "down to the first" in an ONNX Slice that goes backwards


@lowers(Slice)
def slice_(op: Slice, emit: Emitter, x: str) -> str:
    """A Slice."""
    end = op.last + (1 if op.step > 0 else -1)
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name) + 1
    bounds = ([op.first], [FIRST if end < 0 else end], [axis], [op.step])
    return emit.node("Slice", x, *map(emit.ints, bounds))
