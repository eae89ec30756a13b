"""The adjoints of padding and of sliding windows, which convolutions and poolings share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from runtime.kernels import Array
from runtime.kernels.windows import BORDERS, Slide


def unpadded(dx: Array, spatial: tuple[int, ...], axes: tuple[Slide, ...], mode: str) -> Array:
    """The derivative by an input [N, C, spatial…] from that by the padded input.

    A pixel that padding repeats or mirrors gathers the derivatives of all its copies.
    """
    for place, (size, axis) in enumerate(zip(spatial, axes, strict=True), start=2):
        if mode == "zero":
            dx = dx.take(range(axis.before, axis.before + size), axis=place)
            continue
        widths = (axis.before, axis.after + axis.overhang)
        copied = np.pad(np.arange(size), widths, mode=BORDERS[mode])
        gathered = np.zeros((size, *np.moveaxis(dx, place, 0).shape[1:]), dtype=dx.dtype)
        np.add.at(gathered, copied, np.moveaxis(dx, place, 0))
        dx = np.moveaxis(gathered, 0, place)
    return dx


def padded_zeros(x: Array, axes: tuple[Slide, ...]) -> Array:
    """Zeros in the shape of the padded input."""
    grown = (
        size + a.before + a.after + a.overhang for size, a in zip(x.shape[2:], axes, strict=True)
    )
    return np.zeros((*x.shape[:2], *grown), dtype=x.dtype)


def taps(
    axes: tuple[Slide, ...], sizes: tuple[int, ...]
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Each tap of a window and the pixels of the padded input that it meets.

    `sizes` is how often the window is laid along each axis; the slices are those of [N, C, …].
    """
    for tap in np.ndindex(*(a.kernel for a in axes)):
        places = (
            slice(t * a.dilation, t * a.dilation + (n - 1) * a.stride + 1, a.stride)
            for t, a, n in zip(tap, axes, sizes, strict=True)
        )
        yield tap, (slice(None), slice(None), *places)


def spread(
    dy: Array, x: Array, axes: tuple[Slide, ...], kernel: Array | None = None, mode: str = "zero"
) -> Array:
    """Each window hands its dy, times the kernel's values, to its pixels, summed for each of x."""
    dx = padded_zeros(x, axes)
    for tap, places in taps(axes, dy.shape[2:]):
        dx[places] += dy if kernel is None else kernel[tap] * dy
    return unpadded(dx, x.shape[2:], axes, mode)
