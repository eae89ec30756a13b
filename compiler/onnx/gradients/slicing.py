"""The derivative of taking a part of one axis in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import placed
from compiler.ops.shapes import known, per_sample_axis
from compiler.ops.slicing import Slice, Split


@differentiates(Slice)
def slice_(op: Slice, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy at the places taken, 0 at the others."""
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name)
    places = [*range(op.first, op.last + (1 if op.step > 0 else -1), op.step)]
    return by_inputs(placed(emit, dy, x, places, axis + 1))


@differentiates(Split)
def split(op: Split, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy at the places of the part, 0 at those of the others."""
    axis = per_sample_axis(op.axis, emit.inputs[0], op.name)
    first, end = known(op.bounds(emit.inputs[0], emit.facts), op.name)
    pads = [0] * (2 * len(emit.inputs[0]) + 2)
    pads[axis + 1] = first
    pads[axis + len(emit.inputs[0]) + 2] = known(emit.inputs[0], op.name)[axis] - end
    return by_inputs(emit.node("Pad", dy, emit.ints(pads)))
