"""Maps of any other size in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.interpolation import emit_interpolated
from compiler.onnx.nearest import Nearest
from compiler.onnx.resizing import emit_resize
from compiler.ops.base import Shape
from compiler.ops.resampling import Resize
from compiler.ops.shapes import known

COORDINATES = {"half_pixel": "half_pixel", "corners": "align_corners", "asymmetric": "asymmetric"}
ROUNDINGS = {
    "prefer_floor": "round_prefer_floor",
    "prefer_ceil": "round_prefer_ceil",
    "floor": "floor",
    "ceil": "ceil",
}


@lowers(Resize)
def resize(op: Resize, emit: Emitter, x: str) -> str:
    """A Resize to given sizes; pixels picked by their numbers where float32 would err."""
    rank = len(emit.output) - 1
    sizes, factors = op.sizes(rank), op.factors(rank)
    axes = [Nearest(w, op.align, op.rounding, f) for w, f in zip(sizes, factors, strict=True)]
    pairs = list(zip(axes, emit.inputs[0][1:], strict=True))
    if op.mode == "nearest" and any(axis.is_tied(have) for axis, have in pairs):
        for place, (axis, have) in enumerate(pairs, start=2):
            x = axis.emit(emit, x, place, have)
        return x
    if op.scale is not None:
        return resize_by_scale(op, emit, x, sizes)
    return emit_resize(emit, x, sizes=sizes, attributes=attributes(op))


def attributes(op: Resize) -> dict[str, str]:
    """Those of the ONNX node."""
    return {
        "mode": op.mode,
        "coordinate_transformation_mode": COORDINATES[op.align],
        "nearest_mode": ROUNDINGS[op.rounding],
    }


def resize_by_scale(op: Resize, emit: Emitter, x: str, sizes: Shape) -> str:
    """With a given scale. One that leaves the map as large as it is ONNX Runtime takes for 1.

    So the pixels are picked, and weighted, by numbers worked out here.
    """
    factors = [factor or 1.0 for factor in op.factors(len(sizes))]
    if sizes != emit.inputs[0][1:] or op.align == "corners" or {*factors} == {1.0}:
        return emit_resize(emit, x, scales=factors, attributes=attributes(op))
    pairs = zip(known(sizes, op.name), factors, strict=True)
    for place, (size, factor) in enumerate(pairs, start=2):
        axis = Nearest(size, op.align, op.rounding, factor)
        if factor != 1.0 and op.mode == "nearest":
            x = axis.emit(emit, x, place, size)
        elif factor != 1.0:
            x = emit_interpolated(emit, x, place, axis.places(factor), size, op.mode)
    return x
