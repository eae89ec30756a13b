"""Adjoints of padding and of windows in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.windows import onnx_pads, window_attributes
from compiler.ops.base import Axis


def left_over(sizes: tuple[int, ...], axes: tuple[Axis, ...]) -> list[int]:
    """The pixels of the padded input behind its last window, along each axis."""
    return [
        (size + a.before + a.after + a.overhang - a.extent) % a.stride
        for size, a in zip(sizes, axes, strict=True)
    ]


def spread(
    emit: Emitter, dy: str, kernel: str, sizes: tuple[int, ...], axes: tuple[Axis, ...], groups: int
) -> str:
    """Each window hands its dy to its pixels, times the kernel's value there.

    The adjoint of a convolution is the transposed convolution with the same numbers; it makes
    (H - 1)s - pads + K pixels, and the pixels left over behind the last window besides.
    """
    return emit.node(
        "ConvTranspose",
        dy,
        kernel,
        **window_attributes(axes),
        pads=onnx_pads(axes),
        output_padding=left_over(sizes, axes),
        group=groups,
    )


def bare(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The same windows over an input that is padded already."""
    return tuple(Axis(a.kernel, a.stride, a.dilation) for a in axes)


def padded_sizes(sizes: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[int, ...]:
    """The input's sizes with all that is added."""
    return tuple(n + a.before + a.after + a.overhang for n, a in zip(sizes, axes, strict=True))


def unpadded(
    emit: Emitter, dx: str, sizes: tuple[int, ...], axes: tuple[Axis, ...], mode: str
) -> str:
    """The derivative by an input of these sizes from that by the padded input.

    Axis by axis: the inside, and what the pixels added before and after hand back to those that
    they repeat or mirror.
    """
    for place, (size, axis) in enumerate(zip(sizes, axes, strict=True), start=2):
        before, after = axis.before, axis.after + axis.overhang
        if not before and not after:
            continue
        inside = part(emit, dx, place, before, before + size)
        at_first = {"reflect": 1, "circular": size - before}.get(mode, 0)
        at_last = {"reflect": size - 1 - after, "circular": 0}.get(mode, size - 1)
        borders = ((0, before, at_first), (before + size, after, at_last))
        for first, count, start in borders if mode != "zero" else ():
            if count:
                border = part(emit, dx, place, first, first + count)
                border = folded(emit, border, place, count, mode)
                inside = added(emit, inside, border, place, size, start, mode, count)
        dx = inside
    return dx


def part(emit: Emitter, x: str, axis: int, start: int, end: int) -> str:
    """The places from `start` up to `end` of an ONNX axis."""
    return emit.node("Slice", x, emit.ints([start]), emit.ints([end]), emit.ints([axis]))


def folded(emit: Emitter, border: str, axis: int, count: int, mode: str) -> str:
    """What a border hands back: its sum for one edge pixel, or itself, a mirror turned around."""
    if mode == "replicate":
        return emit.node("ReduceSum", border, emit.ints([axis]), keepdims=1)
    if mode == "circular":
        return border
    turned = emit.ints([*reversed(range(count))])
    return emit.node("Gather", border, turned, axis=axis)


def added(
    emit: Emitter, inside: str, border: str, axis: int, size: int, start: int, mode: str, count: int
) -> str:
    """The inside plus what a border hands to the pixels from `start` on."""
    width = 1 if mode == "replicate" else count
    rank = len(emit.inputs[0]) + 1
    before, after = [0] * rank, [0] * rank
    before[axis], after[axis] = start, size - start - width
    wide = emit.node("Pad", border, emit.ints([*before, *after]), mode="constant")
    return emit.node("Add", inside, wide)
