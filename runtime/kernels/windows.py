"""Padding and sliding windows, which convolutions, filters and poolings share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from compiler.ops.base import Axis
from runtime.kernels import Array

BORDERS: dict[str, Any] = {"replicate": "edge", "reflect": "reflect"}


def padded(x: Array, axes: tuple[Axis, ...], mode: str = "zero", fill: float = 0.0) -> Array:
    """The input with its padding, overhang included, around the spatial axes."""
    widths = [(0, 0), (0, 0), *((a.before, a.after + a.overhang) for a in axes)]
    if not any(before or after for before, after in widths):
        return x
    if mode != "zero":
        return np.pad(x, widths, mode=BORDERS[mode])
    sizes = [before + size + after for size, (before, after) in zip(x.shape, widths, strict=True)]
    result = np.full(sizes, fill, dtype=x.dtype)
    inside = (slice(b, b + size) for size, (b, _) in zip(x.shape, widths, strict=True))
    result[tuple(inside)] = x
    return result


def windows(x: Array, axes: tuple[Axis, ...]) -> Array:
    """A view [N, C, output…, taps…] of a padded input: every window with its dilated taps."""
    spatial = tuple(range(2, x.ndim))
    view = sliding_window_view(x, tuple(a.extent for a in axes), axis=spatial)
    positions = tuple(slice(None, None, a.stride) for a in axes)
    taps = tuple(slice(None, None, a.dilation) for a in axes)
    return view[(slice(None), slice(None), *positions, *taps)]


def fold(combine: np.ufunc, x: Array, axes: tuple[Axis, ...]) -> Array:
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
