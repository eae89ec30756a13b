"""The same values under another shape in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.sizes import emit_size
from compiler.ops.reshape import Flatten, Reshape, Transpose, moved_sizes


@lowers(Flatten)
def flatten(op: Flatten, emit: Emitter, x: str) -> str:
    """A Flatten, or a Reshape of the last axes."""
    kept = op.kept(emit.inputs[0])
    if not kept:
        return emit.node("Flatten", x, axis=1)
    return emit.node("Reshape", x, emit.ints([*[0] * (kept + 1), -1]))


@lowers(Reshape)
def reshape(op: Reshape, emit: Emitter, x: str) -> str:
    """A Reshape; symbolic sizes that move are read off the running tensor.

    Of those that are new one is what is left over, others follow from the sizes of the inputs.
    """
    moved = moved_sizes(emit.inputs[0], emit.output, emit.facts)
    sizes = [0]  # the batch; 0 keeps a size, -1 is what is left over
    for index, size in enumerate(emit.output):
        sizes.append(size if isinstance(size, int) else -1 if index in moved else 0)
    if len(moved) <= 1:
        return emit.node("Reshape", x, emit.ints(sizes))
    open_index = next((i for i, source in moved.items() if source is None), max(moved))
    parts = []
    given = emit.node("Shape", x)
    for index, size in enumerate(sizes, start=-1):
        if index == open_index or index not in moved:
            parts.append(emit.ints([size]))
        elif (source := moved[index]) is None:
            parts.append(emit_size(emit, emit.output[index]))
        else:
            parts.append(emit.node("Gather", given, emit.ints([source + 1])))
    return emit.node("Reshape", x, emit.node("Concat", *parts, axis=0))


@lowers(Transpose)
def transpose(op: Transpose, emit: Emitter, x: str) -> str:
    """A Transpose that leaves the batch in front."""
    return emit.node("Transpose", x, perm=[0, *(axis + 1 for axis in op.order)])
