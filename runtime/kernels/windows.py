"""Windows that slide over a map, which convolutions, filters and poolings share.

Where they stand is worked out here, by the rule of docs/language.md ("Shapes"). The compiler works
it out too, for symbolic sizes and with its reasons; nothing of that is used here, so that a wrong
pad on either side is a difference between the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from runtime.kernels import Array

BORDERS: dict[str, Any] = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}


@dataclass(frozen=True)
class Slide:
    """How a window slides along one axis: its taps, and the pixels that are added to the axis.

    `overhang` comes after the padding, so that a last, partial window is whole (`ceil=true`).
    """

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    overhang: int = 0

    @property
    def extent(self) -> int:
        """From the first tap to the last, both included."""
        return self.dilation * (self.kernel - 1) + 1


def each(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One number for every axis, or one for each."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def slides(
    sizes: Sequence[int],
    kernel: int | Sequence[int],
    stride: int | Sequence[int] | None,
    pad: Any = 0,
    dilation: int | Sequence[int] = 1,
    ceil: bool = False,
) -> tuple[Slide, ...]:
    """The window along each axis of a map; `stride=None` is the kernel."""
    rank, found = len(sizes), []
    for axis, (size, k, s, d) in enumerate(
        zip(
            sizes,
            each(kernel, rank),
            each(kernel if stride is None else stride, rank),
            each(dilation, rank),
            strict=True,
        )
    ):
        extent = d * (k - 1) + 1
        if pad in ("same", "same_lower"):  # as many windows as strides begin in the map
            windows = -(-size // s)
            before, after = halved((windows - 1) * s + extent - size, pad)
        else:
            before, after = fixed_padding(pad, axis, extent)
        padded = size + before + after
        count = (padded - extent) // s + 1
        if ceil and (count - 1) * s + extent < padded and count * s < before + size:
            count += 1  # what is left over begins in the map, not in the padding after it
        overhang = max((count - 1) * s + extent - padded, 0)
        found.append(Slide(k, s, d, before, after, overhang))
    return tuple(found)


def transposed_slides(
    kernel: int | Sequence[int],
    stride: int | Sequence[int],
    pad: Any,
    dilation: int | Sequence[int],
    rank: int,
) -> tuple[Slide, ...]:
    """The window that a transposed convolution writes along each axis, and what is cut off.

    "same" leaves the size of the input times the stride.
    """
    found = []
    shared = (each(value, rank) for value in (kernel, stride, dilation))
    for axis, (k, s, d) in enumerate(zip(*shared, strict=True)):
        extent = d * (k - 1) + 1
        if pad in ("same", "same_lower"):
            before, after = halved(extent - s, pad)
        else:
            before, after = fixed_padding(pad, axis, extent)
        found.append(Slide(k, s, d, before, after))
    return tuple(found)


def halved(total: int, word: str) -> tuple[int, int]:
    """So many pixels on two sides, an odd one after ("same") or before ("same_lower")."""
    less = max(total, 0) // 2
    more = max(total, 0) - less
    return (less, more) if word == "same" else (more, less)


def fixed_padding(pad: Any, axis: int, extent: int) -> tuple[int, int]:
    """The pixels (before, after) of an axis for a `pad` that does not depend on the map's size."""
    match pad:
        case "valid":
            return 0, 0
        case "half":
            return (extent - 1) // 2, (extent - 1) // 2
        case int():
            return pad, pad
    own = pad[axis]
    return (own, own) if isinstance(own, int) else own


def padded(
    x: Array,
    axes: tuple[Slide, ...],
    mode: str = "zero",
    fill: float = 0.0,
    empty: Callable[[Sequence[int], DTypeLike], Array] = np.empty,
) -> Array:
    """The input with its padding, overhang included, around the spatial axes, in memory of `empty`.

    An input that needs none is what it was.
    """
    widths = [(0, 0), (0, 0), *((a.before, a.after + a.overhang) for a in axes)]
    if not any(before or after for before, after in widths):
        return x
    if mode != "zero":
        return np.pad(x, widths, mode=BORDERS[mode])
    sizes = [before + size + after for size, (before, after) in zip(x.shape, widths, strict=True)]
    result = empty(sizes, x.dtype)
    inside = tuple(slice(b, b + size) for size, (b, _) in zip(x.shape, widths, strict=True))
    for axis, (before, after) in enumerate(widths):
        for count, border in ((before, slice(before)), (after, slice(sizes[axis] - after, None))):
            if count:
                result[(*inside[:axis], border)] = fill
    result[inside] = x
    return result


def windows(x: Array, axes: tuple[Slide, ...]) -> Array:
    """A view [N, C, output…, taps…] of a padded input: every window with its dilated taps."""
    sizes = ((size - a.extent) // a.stride + 1 for size, a in zip(x.shape[2:], axes, strict=True))
    steps = x.strides[2:]
    return as_strided(
        x,
        (*x.shape[:2], *sizes, *(a.kernel for a in axes)),
        (
            *x.strides[:2],
            *(step * a.stride for step, a in zip(steps, axes, strict=True)),
            *(step * a.dilation for step, a in zip(steps, axes, strict=True)),
        ),
        writeable=False,
    )


def fold(combine: np.ufunc, x: Array, axes: tuple[Slide, ...]) -> Array:
    """The taps of every window of a padded input combined, one axis after the other."""
    for index, axis in enumerate(axes, start=2):
        count = (x.shape[index] - axis.extent) // axis.stride + 1
        lead = (slice(None),) * index
        first, *others = (
            x[(*lead, slice(start, start + (count - 1) * axis.stride + 1, axis.stride))]
            for start in range(0, axis.extent, axis.dilation)
        )
        x = first.copy()
        for tap in others:
            combine(x, tap, out=x)
    return x
