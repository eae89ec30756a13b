"""Crops, pads and enlargements in PyTorch."""

from __future__ import annotations

from compiler.ops.shapes import per_axis
from compiler.ops.spatial import Crop, Pad, Upsample
from compiler.torch import writes
from compiler.torch.layer import MODES, Layer, one_or_all, text_of

LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@writes(Crop)
def crop(op: Crop, layer: Layer, x: str) -> str:
    """A slice of rows and columns."""
    parts = []
    for start, keep in zip(op.starts(layer.shape, layer.graph.facts), (op.h, op.w), strict=True):
        first = layer.size(start)
        parts.append(f"{'' if first == '0' else first}:{layer.size(start + keep)}")
    return f"{x}[:, :, {', '.join(parts)}]"


@writes(Pad)
def pad(op: Pad, layer: Layer, x: str) -> str:
    """F.pad."""
    pairs = op.pairs(layer.shape[1:], layer.graph.facts)
    widths = [layer.size(width) for pair in reversed(pairs) for width in pair]
    mode = f', mode="{MODES[op.mode]}"' if op.mode != "zero" else ""
    return f"F.pad({x}, ({', '.join(widths)}){mode})" if {*widths} != {"0"} else x


@writes(Upsample)
def upsample(op: Upsample, layer: Layer, x: str) -> str:
    """nn.Upsample, or its function, which is not told of the nearest."""
    scale = one_or_all([float(f) for f in per_axis(op.scale, layer.rank, "scale")])
    if isinstance(scale, float):
        scale = int(scale)
    mode = "nearest" if op.mode == "nearest" else LINEAR[layer.rank]
    text = layer.function("F.interpolate", x, "nn.Upsample", scale_factor=scale, mode=mode)
    return text.replace(', mode="nearest")', ")")


__all__ = ["crop", "pad", "text_of", "upsample"]
