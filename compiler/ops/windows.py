"""What the ops that slide a window share: padding, its checks and its ONNX form."""

from __future__ import annotations

from compiler.dims import Size
from compiler.ops.base import Axis, Emitter, Shape, ShapeError

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


def check_border(
    mode: str,
    spatial: Shape,
    axes: tuple[Axis, ...],
    *,
    argument: str = "pad",
    mode_argument: str = "pad_mode",
) -> None:
    """Raise E306 when `reflect` would mirror more pixels than the input has.

    The mirror stands on the first pixel, so a pad of P needs P + 1 pixels. `argument` and
    `mode_argument` are what the op calls its two parameters.
    """
    if mode != "reflect":
        return
    for size, axis in zip(spatial, axes, strict=True):
        if isinstance(size, int) and max(axis.before, axis.after) >= size:
            raise ShapeError(
                "E306",
                "reflect padding must be smaller than the input",
                argument=argument,
                label=f"{max(axis.before, axis.after)} pixels, but the input has {size}",
                help=f'pad at most {size - 1}, or use {mode_argument}="replicate"',
            )


def border_conditions(
    mode: str, spatial: Shape, axes: tuple[Axis, ...]
) -> tuple[tuple[Size, int], ...]:
    """What reflect padding asks of symbolic sizes: at least one pixel more than the pad."""
    if mode != "reflect":
        return ()
    return tuple((s, max(a.before, a.after) + 1) for s, a in zip(spatial, axes, strict=True))
