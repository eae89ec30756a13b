"""Cropping, padding and enlarging in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.resizing import emit_resize
from compiler.onnx.sizes import emit_sizes
from compiler.onnx.windows import PAD_MODES, emit_pad
from compiler.ops.shapes import per_axis
from compiler.ops.spatial import Crop, Pad, Upsample


@lowers(Crop)
def crop(op: Crop, emit: Emitter, x: str) -> str:
    """A Slice of height and width."""
    starts = op.starts(emit.inputs[0], emit.facts)
    ends = [emit.facts.simplify(s + n) for s, n in zip(starts, emit.output[1:], strict=True)]
    bounds = emit_sizes(emit, starts), emit_sizes(emit, ends)
    return emit.node("Slice", x, *bounds, emit.ints([2, 3]))


@lowers(Pad)
def pad(op: Pad, emit: Emitter, x: str) -> str:
    """A Pad.

    ONNX Runtime moves zeros into the pads of a pooling that follows, where they are no values any
    more (its maxpool ignores them) or too many for it. A zero of the other sign stays.
    """
    before, after = zip(*op.pairs(emit.inputs[0][1:], emit.facts), strict=True)
    fill = -0.0 if op.mode == "zero" else None
    return emit_pad(emit, x, [*before, *after], PAD_MODES[op.mode], fill)


@lowers(Upsample)
def upsample(op: Upsample, emit: Emitter, x: str) -> str:
    """A Resize by whole factors."""
    scales = per_axis(op.scale, len(emit.output) - 1, "scale")
    how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    if op.mode == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        how["nearest_mode"] = "floor"
    return emit_resize(emit, x, scales=scales, attributes=how)
