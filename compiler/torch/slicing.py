"""Parts of one axis in PyTorch."""

from __future__ import annotations

from compiler.ops.shapes import per_sample_axis
from compiler.ops.slicing import Slice, Split
from compiler.torch import writes
from compiler.torch.layer import Layer, text_of


@writes(Slice)
def slice_(op: Slice, layer: Layer, x: str) -> str:
    """A slice; backwards the places one by one."""
    axis = per_sample_axis(op.axis, layer.shape, op.name)
    if op.step > 0:
        step = "" if op.step == 1 else f":{op.step}"
        size = layer.shape[axis]
        last = op.first + (op.last - op.first) // op.step * op.step  # that is taken
        end = "" if isinstance(size, int) and last + op.step >= size else op.last + 1
        before = "..., " if 0 < axis == len(layer.shape) - 1 else ":, " * (axis + 1)
        return f"{x}[{before}{op.first or ''}:{end}{step}]"
    places = f"torch.arange({op.first}, {op.last - 1}, {op.step}, device={layer.batch}.device)"
    return f"{x}.index_select({axis + 1}, {places})"


@writes(Split)
def split(op: Split, layer: Layer, x: str) -> str:
    """One of the parts that `chunk` or `split` makes."""
    axis = per_sample_axis(op.axis, layer.shape, op.name) + 1
    if isinstance(op.parts, int):
        return f"{x}.chunk({op.parts}, {axis})[{op.part}]"
    return f"{x}.split({text_of(op.parts)}, {axis})[{op.part}]"
