"""Poolings in PyTorch."""

from __future__ import annotations

from typing import Any

from compiler.ops.base import Axis
from compiler.ops.pooling import AvgPool, LpPool, MaxPool
from compiler.torch import writes
from compiler.torch.layer import Layer, function_of, one_or_all, padded, pads_of, text_of


def axes_of(op: MaxPool | AvgPool | LpPool, layer: Layer) -> tuple[Axis, ...]:
    """The window along each axis."""
    return op.axes(layer.shape[1:], layer.graph.facts)


def is_plain(op: MaxPool | AvgPool, layer: Layer, axes: tuple[Axis, ...]) -> bool:
    """Whether PyTorch's own poolings take this padding: alike on both sides, half a kernel."""
    whole = not any(axis.overhang for axis in axes) or bool(in_ceil_mode(op, layer, axes))
    return whole and all(axis.before == axis.after <= axis.kernel // 2 for axis in axes)


def in_ceil_mode(op: MaxPool | AvgPool, layer: Layer, axes: tuple[Axis, ...]) -> dict[str, Any]:
    """What says `ceil`; nothing on maps smaller than the kernel, which PyTorch refuses then."""
    fits = op.ceil and all(
        isinstance(size, int) and size + 2 * axis.before >= axis.extent
        for size, axis in zip(layer.shape[1:], axes, strict=True)
    )
    return {"ceil_mode": True} if fits else {}


def is_beyond(layer: Layer, axes: tuple[Axis, ...]) -> bool:
    """Whether a padded window may be larger than a volume: PyTorch averages none of those."""
    return layer.rank == 3 and any(
        axis.before and not (isinstance(size, int) and size >= axis.kernel)
        for size, axis in zip(layer.shape[1:], axes, strict=True)
    )


def window(op: MaxPool | AvgPool | LpPool, axes: tuple[Axis, ...], *names: str) -> dict[str, Any]:
    """What is to be said of a window; the stride where it is not the kernel."""
    kernel = one_or_all([axis.kernel for axis in axes])
    stride = one_or_all([axis.stride for axis in axes])
    found: dict[str, Any] = {"kernel_size": kernel}
    found |= {"stride": stride} if stride != kernel else {}
    padding = one_or_all([axis.before for axis in axes])
    dilation = one_or_all([axis.dilation for axis in axes])
    found |= {"padding": padding} if padding and "padding" in names else {}
    found |= {"dilation": dilation} if dilation != 1 and "dilation" in names else {}
    return found


@writes(MaxPool)
def maxpool(op: MaxPool, layer: Layer, x: str) -> str:
    """nn.MaxPool, whose ceil_mode is ours; other padding by F.pad with minus infinity."""
    axes, pooled = axes_of(op, layer), f"F.max_pool{layer.rank}d"
    if is_plain(op, layer, axes):
        given = window(op, axes, "padding", "dilation") | in_ceil_mode(op, layer, axes)
        return layer.function(pooled, x, f"nn.MaxPool{layer.rank}d", **given)
    given, filled = window(op, axes, "dilation"), padded(x, pads_of(axes, True), value="-math.inf")
    return function_of(pooled, filled, given)


@writes(AvgPool)
def avgpool(op: AvgPool, layer: Layer, x: str) -> str:
    """nn.AvgPool, which counts as we do; with a dilation or what overhangs by hand."""
    axes = axes_of(op, layer)
    apart = any(axis.dilation > 1 and axis.kernel > 1 for axis in axes)
    hangs = any(axis.overhang for axis in axes)
    plain = is_plain(op, layer, axes) and not is_beyond(layer, axes)
    if op.count_pad and not apart and not hangs and not plain:
        filled = padded(x, pads_of(axes))
        return function_of(f"F.avg_pool{layer.rank}d", filled, window(op, axes))
    if plain and not apart:
        given = window(op, axes, "padding") | in_ceil_mode(op, layer, axes)
        given |= {} if op.count_pad or "padding" not in given else {"count_include_pad": False}
        return layer.function(f"F.avg_pool{layer.rank}d", x, f"nn.AvgPool{layer.rank}d", **given)
    overhang = tuple(width for axis in reversed(axes) for width in (0, axis.overhang))
    sizes = [
        tuple(axis.kernel for axis in axes),
        tuple(axis.stride for axis in axes),
        tuple(axis.dilation for axis in axes),
        pads_of(axes),
        overhang,
    ]
    said = ", ".join(map(text_of, sizes))
    return f"{layer.helper('average_pool')}({x}, {said}, {op.count_pad})"


@writes(LpPool)
def lppool(op: LpPool, layer: Layer, x: str) -> str:
    """(sum |x|^p)^(1/p), since nn.LPPool takes no padding and signs count in it."""
    axes = axes_of(op, layer)
    ones = f"{layer.batch}.new_ones({text_of(tuple(axis.kernel for axis in axes))})"
    stride, dilation = (tuple(getattr(axis, n) for axis in axes) for n in ("stride", "dilation"))
    powers = padded(f"({x}).abs() ** {op.p}", pads_of(axes, True))
    said = f"{text_of(stride)}, {text_of(dilation)}"
    return f"{layer.helper('depthwise')}({powers}, {ones}, {said}) ** (1 / {op.p})"
