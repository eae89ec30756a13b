"""Windows of padded inputs, which convolutions, filters and poolings share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from compiler.ops.base import Axis
from runtime.kernels import Array

BORDERS: dict[str, Any] = {"zero": "constant", "replicate": "edge", "reflect": "reflect"}


def padded(x: Array, axes: tuple[Axis, ...], mode: str = "zero", fill: float = 0.0) -> Array:
    """The input with its padding, overhang included, around the spatial axes."""
    widths = [(0, 0), (0, 0), *((a.before, a.after + a.overhang) for a in axes)]
    if not any(before or after for before, after in widths):
        return x
    if mode == "zero":
        return np.pad(x, widths, constant_values=fill)
    return np.pad(x, widths, mode=BORDERS[mode])


def windows(x: Array, axes: tuple[Axis, ...]) -> Array:
    """A view [N, C, output…, taps…] of a padded input: every window with its dilated taps."""
    spatial = tuple(range(2, x.ndim))
    view = sliding_window_view(x, tuple(a.extent for a in axes), axis=spatial)
    positions = tuple(slice(None, None, a.stride) for a in axes)
    taps = tuple(slice(None, None, a.dilation) for a in axes)
    return view[(slice(None), slice(None), *positions, *taps)]


def depthwise(x: Array, kernels: Array, axes: tuple[Axis, ...]) -> Array:
    """One kernel [C or 1, taps…] for each channel by itself, summed tap by tap."""
    view = windows(x, axes)
    rank = len(axes)
    result = np.zeros(view.shape[: 2 + rank], dtype=x.dtype)
    for tap in np.ndindex(*(a.kernel for a in axes)):
        factor = kernels[(slice(None), *tap)].reshape(1, -1, *([1] * rank))
        result += view[(..., *tap)] * factor
    return result


def window_sum(x: Array, axes: tuple[Axis, ...]) -> Array:
    """The sum of each window of a padded input."""
    return depthwise(x, np.ones((1, *(a.kernel for a in axes)), dtype=x.dtype), axes)
