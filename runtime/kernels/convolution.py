"""Convolutions in NumPy."""

from __future__ import annotations

from itertools import product

import numpy as np

from compiler.domain import Facts
from compiler.ops.base import Axis
from compiler.ops.convolution import Conv, Deconv
from compiler.shapes import per_axis
from runtime.kernels import Array, Arrays, kernel
from runtime.kernels.windows import depthwise, padded, windows

CHUNK = 2**26  # numbers in the largest temporary of a convolution


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
