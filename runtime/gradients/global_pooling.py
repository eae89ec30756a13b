"""Derivatives of the poolings to a fixed output size."""

from __future__ import annotations

import numpy as np

from compiler.ops.global_pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    GlobalAveragePool,
    GlobalMaxPool,
)
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.windows import each


@gradient(GlobalAveragePool)
def gap(
    op: GlobalAveragePool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy over the number of pixels, for every pixel."""
    x = inputs[0]
    return by_inputs(np.broadcast_to(dy * (output[0, 0].size / x[0, 0].size), x.shape))


@gradient(GlobalMaxPool)
def gmp(op: GlobalMaxPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy for the first of the largest pixels."""
    x = inputs[0]
    flat = x.reshape(*x.shape[:2], -1)
    dx = np.zeros_like(flat)
    np.put_along_axis(dx, flat.argmax(axis=2)[..., None], dy.reshape(*x.shape[:2], 1), axis=2)
    return by_inputs(dx.reshape(x.shape))


@gradient(AdaptiveAvgPool)
def adaptive_avgpool(
    op: AdaptiveAvgPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """Axis by axis each part hands dy over its width to its pixels; parts may overlap."""
    x = inputs[0]
    for axis, parts in enumerate(each(op.size, x.ndim - 2), start=2):
        width = x.shape[axis]
        moved = np.moveaxis(dy, axis, 0)
        dx = np.zeros((width, *moved.shape[1:]), dtype=dy.dtype)
        for part, share in enumerate(moved):
            first, end = part * width // parts, -(-(part + 1) * width // parts)
            dx[first:end] += share / (end - first)
        dy = np.moveaxis(dx, 0, axis)
    return by_inputs(dy)


@gradient(AdaptiveMaxPool)
def adaptive_maxpool(
    op: AdaptiveMaxPool, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """Each part hands dy to the first of its largest values, the last axis running fastest."""
    x = inputs[0]
    sizes, dx = x.shape[2:], np.zeros_like(x)
    counts = each(op.size, x.ndim - 2)
    for part in np.ndindex(*counts):
        spans = (
            slice(i * w // n, -(-(i + 1) * w // n))
            for i, w, n in zip(part, sizes, counts, strict=True)
        )
        there = (slice(None), slice(None), *spans)
        inside = x[there]
        flat = inside.reshape(*x.shape[:2], -1)
        share = np.zeros_like(flat)
        place = flat.argmax(axis=2)[..., None]
        np.put_along_axis(share, place, dy[(slice(None), slice(None), *part)][..., None], axis=2)
        dx[there] += share.reshape(inside.shape)
    return by_inputs(dx)
