"""Windows and padding as ONNX writes them."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.dims import Size
from compiler.onnx.emitter import Emitter
from compiler.onnx.sizes import emit_size, emit_sizes
from compiler.ops.base import Axis

LAST = 2**62  # "to the end" in a Slice
WRAPS_SINCE = 19  # the opset of Pad's wrap
PAD_MODES = {"zero": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}


def window_attributes(axes: tuple[Axis, ...]) -> dict[str, list[int]]:
    """What a Conv and its kin say of their windows, but for the pads."""
    return {
        "kernel_shape": [axis.kernel for axis in axes],
        "strides": [axis.stride for axis in axes],
        "dilations": [axis.dilation for axis in axes],
    }


def onnx_pads(axes: tuple[Axis, ...], *, overhang: bool = True) -> list[int]:
    """Pads in ONNX's order: all the befores, then all the afters."""
    return [a.before for a in axes] + [a.after + (a.overhang if overhang else 0) for a in axes]


def emit_border(emit: Emitter, x: str, axes: tuple[Axis, ...], mode: str) -> tuple[str, list[int]]:
    """What a Conv takes, and its pads: other pixels than zeros are added before it."""
    pads = onnx_pads(axes)
    if mode == "zero":
        return x, pads
    return emit_pad(emit, x, pads, PAD_MODES[mode]), [0] * len(pads)


def emit_wrapped(emit: Emitter, x: str, pads: Sequence[Size]) -> str:
    """The last pixels in front and the first behind, along each axis in turn."""
    half = len(pads) // 2
    for axis, (before, after) in enumerate(zip(pads[:half], pads[half:], strict=True), start=2):
        ends = [(-before, LAST)] if before != 0 else [], [(0, after)] if after != 0 else []
        front, back = ([emit_slice(emit, x, axis, a, b) for a, b in each] for each in ends)
        if front or back:
            x = emit.node("Concat", *front, x, *back, axis=axis)
    return x


def emit_slice(emit: Emitter, x: str, axis: int, start: Size, end: Size) -> str:
    """The places from `start` up to `end` of an ONNX axis."""
    return emit.node("Slice", x, emit_size(emit, start), emit_size(emit, end), emit.ints([axis]))


def emit_pad(
    emit: Emitter, x: str, pads: Sequence[Size], mode: str = "constant", fill: float | None = None
) -> str:
    """An ONNX Pad of the spatial axes, or `x` itself when there is nothing to pad.

    Without a `fill` they hold zeros, which ONNX Runtime may move into the layer that follows.
    """
    if not any(pads):
        return x
    half = len(pads) // 2
    if mode == "wrap" and emit.opset < WRAPS_SINCE:
        return emit_wrapped(emit, x, pads)
    widths = emit_sizes(emit, [0, 0, *pads[:half], 0, 0, *pads[half:]])
    constant = [] if fill is None else [emit.floats(fill)]
    return emit.node("Pad", x, widths, *constant, mode=mode)
