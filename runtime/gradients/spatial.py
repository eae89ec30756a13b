"""Derivatives of cropping, padding and enlarging."""

from __future__ import annotations

import numpy as np

from compiler.ops.spatial import Crop, Pad, Upsample
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.gradients.windows import unpadded
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.windows import each, slides


@gradient(Crop)
def crop(op: Crop, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy where it was cut out, 0 around it."""
    dx = np.zeros_like(inputs[0])
    top = (dx.shape[2] - op.h) // 2 if op.top is None else op.top
    left = (dx.shape[3] - op.w) // 2 if op.left is None else op.left
    dx[:, :, top : top + op.h, left : left + op.w] = dy
    return by_inputs(dx)


@gradient(Pad)
def pad(op: Pad, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each pixel gathers from its copies."""
    spatial = inputs[0].shape[2:]
    return by_inputs(unpadded(dy, spatial, slides(spatial, 1, 1, op.amount), op.mode))


@gradient(Upsample)
def upsample(op: Upsample, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Axis by axis: the sum over the copies of a pixel, or over those that it is mixed into."""
    x = inputs[0]
    for axis, factor in enumerate(each(op.scale, x.ndim - 2), start=2):
        size = x.shape[axis]
        moved = np.moveaxis(dy, axis, 0)
        if op.mode == "nearest":
            copies = moved.reshape(size, factor, *moved.shape[1:])
            dy = np.moveaxis(copies.sum(axis=1), 0, axis)
            continue
        places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low, high = np.floor(places).astype(int), np.ceil(places).astype(int)
        share = (places - low).astype(dy.dtype).reshape(-1, *([1] * (dy.ndim - 1)))
        dx = np.zeros((size, *moved.shape[1:]), dtype=dy.dtype)
        np.add.at(dx, low, moved * (1 - share))
        np.add.at(dx, high, moved * share)
        dy = np.moveaxis(dx, 0, axis)
    return by_inputs(dy)
