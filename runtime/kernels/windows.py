"""Convolutions and poolings in NumPy."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from compiler.domain import Facts
from compiler.ops.arguments import nested_shape
from compiler.ops.base import Axis
from compiler.ops.windows import (
    AdaptiveAvgPool,
    AvgPool,
    Conv,
    Deconv,
    Filter,
    GlobalAveragePool,
    GlobalMaxPool,
    LpPool,
    MaxPool,
    WeightedPool,
)
from compiler.shapes import per_axis
from runtime.kernels import Array, Arrays, kernel

BORDERS: dict[str, Any] = {"zero": "constant", "replicate": "edge", "reflect": "reflect"}
CHUNK = 2**26  # numbers in the largest temporary of a convolution


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


def correlate(x: Array, weight: Array, axes: tuple[Axis, ...], groups: int) -> Array:
    """Windows times weight, group by group: one matrix product for each sample and row block."""
    batch, rank = x.shape[0], len(axes)
    view = windows(x, axes)
    sizes = view.shape[2 : 2 + rank]
    channels_in, channels_out = weight.shape[1], weight.shape[0] // groups
    result = np.empty((batch, weight.shape[0], *sizes), dtype=x.dtype)
    taps = weight[0].size
    block = max(1, CHUNK // max(1, taps * int(np.prod(sizes[1:]))))
    order = (0, *range(rank + 1, 2 * rank + 1), *range(1, rank + 1))  # C, taps, output
    for sample, group in product(range(batch), range(groups)):
        inputs = view[sample, group * channels_in : (group + 1) * channels_in]
        outputs = slice(group * channels_out, (group + 1) * channels_out)
        matrix = weight[outputs].reshape(channels_out, taps)
        for first in range(0, sizes[0], block):
            piece = inputs[:, first : first + block].transpose(order)
            rows = result[sample, outputs, first : first + block]
            rows[...] = (matrix @ piece.reshape(taps, -1)).reshape(rows.shape)
    return result


def depthwise(x: Array, kernels: Array, axes: tuple[Axis, ...]) -> Array:
    """One kernel [C or 1, taps…] for each channel by itself, summed tap by tap."""
    view = windows(x, axes)
    rank = len(axes)
    result = np.zeros(view.shape[: 2 + rank], dtype=x.dtype)
    for tap in np.ndindex(*(a.kernel for a in axes)):
        factor = kernels[(slice(None), *tap)].reshape(1, -1, *([1] * rank))
        result += view[(..., *tap)] * factor
    return result


def with_bias(y: Array, arrays: Arrays) -> Array:
    """The bias of each channel added, if there is one."""
    if "bias" not in arrays:
        return y
    return y + arrays["bias"].reshape(1, -1, *([1] * (y.ndim - 2)))


@kernel(Conv)
def conv(op: Conv, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Sum over the channels of a group and the taps of a window, plus the bias."""
    x, weight = inputs[0], arrays["weight"]
    axes = op.axes(x.shape[2:], Facts())
    x = padded(x, axes, op.pad_mode)
    if weight.shape[1] == 1 and op.groups == weight.shape[0]:
        return with_bias(depthwise(x, weight[:, 0], axes), arrays)
    return with_bias(correlate(x, weight, axes, op.groups), arrays)


@kernel(Deconv)
def deconv(op: Deconv, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Each input pixel adds its kernel to the full output, which is then cut to size."""
    x, weight = inputs[0], arrays["weight"]
    spatial = x.shape[2:]
    rank = len(spatial)
    axes = op.axes(spatial, Facts())
    extra = per_axis(op.output_pad, rank, "output_pad")
    full = [(w - 1) * a.stride + a.extent + e for w, a, e in zip(spatial, axes, extra, strict=True)]
    y = np.zeros((x.shape[0], op.channels, *full), dtype=x.dtype)
    each_in, each_out = weight.shape[0] // op.groups, weight.shape[1]
    for group in range(op.groups):
        pixels = x[:, group * each_in : (group + 1) * each_in]
        target = y[:, group * each_out : (group + 1) * each_out]
        for tap in np.ndindex(*(a.kernel for a in axes)):
            matrix = weight[(slice(group * each_in, (group + 1) * each_in), slice(None), *tap)]
            values = np.moveaxis(np.tensordot(matrix, pixels, axes=(0, 1)), 0, 1)
            places = tuple(
                slice(t * a.dilation, t * a.dilation + (w - 1) * a.stride + 1, a.stride)
                for t, a, w in zip(tap, axes, spatial, strict=True)
            )
            target[(slice(None), slice(None), *places)] += values
    cut = tuple(slice(a.before, size - a.after) for a, size in zip(axes, full, strict=True))
    return with_bias(y[(slice(None), slice(None), *cut)], arrays)


@kernel(Filter)
def filter_(op: Filter, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same fixed kernel on every channel."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    kernels = np.asarray(op.kernel_values, dtype=x.dtype)[np.newaxis]
    return depthwise(padded(x, axes, op.pad_mode), kernels, axes)


@kernel(WeightedPool)
def weightedpool(op: WeightedPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same weights, normalised to sum 1, on every channel."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    weights = np.asarray(op.kernel_values, dtype=np.float64)
    assert weights.shape == nested_shape(op.kernel_values)
    return depthwise(x, (weights / weights.sum()).astype(x.dtype)[np.newaxis], axes)


@kernel(MaxPool)
def maxpool(op: MaxPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest of each window; padding is minus infinity."""
    axes = op.axes(inputs[0].shape[2:], Facts())
    view = windows(padded(inputs[0], axes, fill=-np.inf), axes)
    result = np.full(view.shape[: 2 + len(axes)], -np.inf, dtype=view.dtype)
    for tap in np.ndindex(*(a.kernel for a in axes)):
        np.maximum(result, view[(..., *tap)], out=result)
    return result


def window_sum(x: Array, axes: tuple[Axis, ...]) -> Array:
    """The sum of each window of a padded input."""
    return depthwise(x, np.ones((1, *(a.kernel for a in axes)), dtype=x.dtype), axes)


@kernel(AvgPool)
def avgpool(op: AvgPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The sum of each window divided by how many of its pixels count."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    counted = np.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    if op.count_pad:  # the padding counts, what ceil adds beyond it does not
        inside = tuple(Axis(1, before=a.before, after=a.after) for a in axes)
        counted = padded(counted, inside, fill=1.0)
        beyond = tuple(Axis(1, overhang=a.overhang) for a in axes)
        counted = padded(counted, beyond)
    else:
        counted = padded(counted, axes)
    return window_sum(padded(x, axes), axes) / window_sum(counted, axes)


@kernel(LpPool)
def lppool(op: LpPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """(sum |x|^p)^(1/p) of each window."""
    x = inputs[0]
    axes = op.axes(x.shape[2:], Facts())
    total = window_sum(padded(np.abs(x) ** op.p, axes), axes)
    return np.asarray(total ** x.dtype.type(1 / op.p))


@kernel(GlobalAveragePool)
def gap(op: GlobalAveragePool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The mean of each map."""
    return np.asarray(inputs[0].mean(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(GlobalMaxPool)
def gmp(op: GlobalMaxPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The largest value of each map."""
    return np.asarray(inputs[0].max(axis=tuple(range(2, inputs[0].ndim)), keepdims=True))


@kernel(AdaptiveAvgPool)
def adaptive_avgpool(op: AdaptiveAvgPool, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The mean of each part, one axis after the other."""
    x = inputs[0]
    for axis, parts in enumerate(op.parts(x.shape[2:]), start=2):
        means = [
            x.take(range(start, end), axis=axis).mean(axis=axis, keepdims=True)
            for start, end in parts
        ]
        x = np.concatenate(means, axis=axis)
    return x
