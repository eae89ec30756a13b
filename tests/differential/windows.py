"""The output sizes of windows, straight from the formulas in the language's description.

Along an axis of W pixels with K = d(k - 1) + 1: floor((W + before + after - K)/S) + 1. With `ceil`
the ceiling, less a last window that would start in the padding after. Transposed: (W - 1)S - before
- after + K + output_pad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.differential.sizes import Invalid, Shape, Size, Symbolic, value_of


@dataclass(frozen=True)
class Window:
    """One axis: kernel, stride, dilation and the pixels of padding on both sides."""

    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def extent(self) -> int:
        """The dilated kernel."""
        return self.dilation * (self.kernel - 1) + 1


def each_axis(value: Any, rank: int) -> tuple[int, ...]:
    """A number for each axis."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise Invalid
    return tuple(value)


def pads_of(
    pad: Any, spatial: Shape, extents: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """The pixels before and after along each axis for any form of `pad`."""
    if pad == "valid":
        return ((0, 0),) * len(spatial)
    if pad == "half":
        return tuple(((extent - 1) // 2,) * 2 for extent in extents)
    if pad in ("same", "same_lower"):
        pairs = []
        for size, extent, stride in zip(spatial, extents, strides, strict=True):
            covered: Any = ((size + stride - 1) // stride - 1) * stride + extent
            total = covered - size
            if isinstance(total, Symbolic):
                raise Invalid
            less, more = max(total, 0) // 2, (max(total, 0) + 1) // 2
            pairs.append((less, more) if pad == "same" else (more, less))
        return tuple(pairs)
    if isinstance(pad, list) and not isinstance(pad[0], int):
        if len(pad) != len(spatial):
            raise Invalid
        return tuple(pad)
    return tuple((amount, amount) for amount in each_axis(pad, len(spatial)))


def windows_of(
    spatial: Shape, kernel: Any, stride: Any, pad: Any, dilation: Any, *, ceil: bool = False
) -> tuple[Window, ...]:
    """The window along each axis, `stride=None` being the kernel; a kernel must fit."""
    rank = len(spatial)
    if not rank:
        raise Invalid
    kernels = each_axis(kernel, rank)
    strides = kernels if stride is None else each_axis(stride, rank)
    dilations = each_axis(dilation, rank)
    extents = tuple(d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True))
    pads = pads_of(pad, spatial, extents, strides)
    found = tuple(
        Window(k, s, d, before, after)
        for k, s, d, (before, after) in zip(kernels, strides, dilations, pads, strict=True)
    )
    for size, window in zip(spatial, found, strict=True):
        room = value_of(size) + window.before + window.after + (window.stride - 1 if ceil else 0)
        if room < window.extent:
            raise Invalid
    return found


def slid(spatial: Shape, windows: tuple[Window, ...], *, ceil: bool = False) -> Shape:
    """The sizes that sliding windows leave."""
    rule = rounded_up if ceil else rounded_down
    return tuple(rule(size, window) for size, window in zip(spatial, windows, strict=True))


def rounded_down(size: Size, window: Window) -> Size:
    """floor((W + before + after - K)/S) + 1."""
    return (size + (window.before + window.after - window.extent)) // window.stride + 1


def rounded_up(size: Size, window: Window) -> Size:
    """The ceiling; over a symbol only where no last window can start in the padding after."""
    rest = size + (window.before + window.after - window.extent)
    count = (rest + window.stride - 1) // window.stride + 1
    if isinstance(count, Symbolic) or isinstance(size, Symbolic):
        if window.stride + window.after > window.extent:
            raise Invalid
        return count
    return count - 1 if (count - 1) * window.stride >= size + window.before else count


def written(spatial: Shape, windows: tuple[Window, ...], extra: tuple[int, ...]) -> Shape:
    """The sizes that transposed windows write."""
    return tuple(
        (size - 1) * window.stride - window.before - window.after + window.extent + more
        for size, window, more in zip(spatial, windows, extra, strict=True)
    )
