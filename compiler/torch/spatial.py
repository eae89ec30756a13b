"""Crops, pads and enlargements in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.ops.resampling import in_float32
from compiler.ops.shapes import per_axis
from compiler.ops.spatial import Crop, Pad, Upsample
from compiler.torch import writes
from compiler.torch.layer import MODES, Layer

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
    """nn.Upsample or its function; a helper for the nearest where these round away from it."""
    factors = tuple(map(int, per_axis(op.scale, layer.rank, "scale")))
    if op.mode != "nearest":
        return enlarged(layer, x, factors, LINEAR[layer.rank])
    if all(map(is_floored_right, factors)):
        return enlarged(layer, x, factors)
    return f"{layer.helper('nearest')}({x}, {sizes_of(layer)})"


def enlarged(
    layer: Layer, x: str, factors: Sequence[int], mode: str = "nearest", corners: bool = False
) -> str:
    """A map so many times as large along each axis; its function is not told of the nearest."""
    scale = factors[0] if len({*factors}) == 1 else tuple(map(float, factors))
    more = {"align_corners": True} if corners else {}
    text = layer.function("F.interpolate", x, "nn.Upsample", scale_factor=scale, mode=mode, **more)
    return text.replace(', mode="nearest")', ")")


def is_floored_right(factor: int) -> bool:
    """Whether PyTorch finds the nearest pixel of each output pixel of a map so many times as large.

    It rounds pixel times 1/factor down, in float32: pixel 41 of a map 41 times as large is 0.99…
    """
    return in_float32(in_float32(1 / factor) * factor) == 1


def sizes_of(layer: Layer) -> str:
    """The spatial sizes of what a layer makes, of another tensor where one at hand has them."""
    sizes = layer.output[1:]
    of_another = layer.sizes_of_another(sizes)
    return of_another or f"({', '.join(map(layer.size, sizes))}{',' * (len(sizes) == 1)})"
