"""Padding as ONNX writes it."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.ops.base import Axis

PAD_MODES = {"zero": "constant", "replicate": "edge", "reflect": "reflect"}


def onnx_pads(axes: tuple[Axis, ...], *, overhang: bool = True) -> list[int]:
    """Pads in ONNX's order: all the befores, then all the afters."""
    return [a.before for a in axes] + [a.after + (a.overhang if overhang else 0) for a in axes]


def emit_pad(
    emit: Emitter, x: str, pads: list[int], mode: str = "constant", fill: float | None = None
) -> str:
    """An ONNX Pad of the spatial axes, or `x` itself when there is nothing to pad.

    Without a `fill` they hold zeros, which ONNX Runtime may move into the layer that follows.
    """
    if not any(pads):
        return x
    half = len(pads) // 2
    widths = emit.ints([0, 0, *pads[:half], 0, 0, *pads[half:]])
    constant = [] if fill is None else [emit.floats(fill)]
    return emit.node("Pad", x, widths, *constant, mode=mode)
