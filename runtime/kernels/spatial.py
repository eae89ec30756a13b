"""Cropping, padding and enlarging in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.spatial import Crop, Pad, Upsample
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.windows import each, padded, slides


@kernel(Crop)
def crop(op: Crop, inputs: Inputs, arrays: Arrays) -> Array:
    """h x w pixels: as many cut off before as after (one less when odd), or from where it says."""
    x = inputs[0]
    top = (x.shape[2] - op.h) // 2 if op.top is None else op.top
    left = (x.shape[3] - op.w) // 2 if op.left is None else op.left
    return x[:, :, top : top + op.h, left : left + op.w]


@kernel(Pad)
def pad(op: Pad, inputs: Inputs, arrays: Arrays) -> Array:
    """Pixels added around the map."""
    return padded(inputs[0], slides(inputs[0].shape[2:], 1, 1, op.amount), op.mode)


@kernel(Upsample)
def upsample(op: Upsample, inputs: Inputs, arrays: Arrays) -> Array:
    """Axis by axis: pixels repeated, or weighted means of the two nearest centres."""
    x = inputs[0]
    for axis, factor in enumerate(each(op.scale, x.ndim - 2), start=2):
        if op.mode == "nearest":
            x = np.repeat(x, factor, axis=axis)
            continue
        size = x.shape[axis]
        centres = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.floor(centres).astype(int)
        high = np.ceil(centres).astype(int)
        shape = [1] * x.ndim
        shape[axis] = -1
        share = (centres - low).astype(x.dtype).reshape(shape)
        x = x.take(low, axis=axis) * (1 - share) + x.take(high, axis=axis) * share
    return x
