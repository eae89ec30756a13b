"""Values between the pixels along one axis of a map, as sums of pixels picked and weighted."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from compiler.onnx.emitter import Emitter

KEYS = -0.75  # the free number of the cubic kernel, as in PyTorch and ONNX


def emit_interpolated(
    emit: Emitter, x: str, axis: int, places: Sequence[float], have: int, mode: str
) -> str:
    """The ONNX axis `axis` of `x`, `have` pixels long, at other places between them.

    `mode` is "linear" or "cubic"; outside of the axis lies its edge.
    """
    firsts = [floor(place) for place in places]
    shares = [place - first for place, first in zip(places, firsts, strict=True)]
    weights = [linear(share) if mode == "linear" else cubic(share) for share in shares]
    before = 0 if mode == "linear" else 1
    spatial_after = len(emit.output) - axis
    total = ""
    for tap in range(len(weights[0])):
        pixels = [min(max(first + tap - before, 0), have - 1) for first in firsts]
        picked = emit.node("Gather", x, emit.ints(pixels), axis=axis)
        scale = emit.floats([nested(row[tap], spatial_after) for row in weights])
        weighted = emit.node("Mul", picked, scale)
        total = emit.node("Add", total, weighted) if total else weighted
    return total


def linear(share: float) -> tuple[float, ...]:
    """The weights of the two pixels around a place, which lies `share` behind the first."""
    return 1 - share, share


def cubic(share: float) -> tuple[float, ...]:
    """Those of the four pixels around it, by Keys' kernel (Keys 1981, equation 4)."""
    weights = []
    for distance in (1 + share, share, 1 - share, 2 - share):
        if distance <= 1:
            weights.append((KEYS + 2) * distance**3 - (KEYS + 3) * distance**2 + 1)
        else:
            weights.append(KEYS * (distance**3 - 5 * distance**2 + 8 * distance - 4))
    return tuple(weights)


def nested(value: float, depth: int) -> object:
    """A number in as many brackets."""
    return [nested(value, depth - 1)] if depth else value
