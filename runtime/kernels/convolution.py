"""Convolutions in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from threading import local

import numpy as np
from numpy.typing import DTypeLike

from compiler.ops.convolution import Conv, Deconv
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.windows import Slide, each, padded, slides, transposed_slides, windows

COLUMNS = 2**19  # numbers in the matrix of unrolled windows, if one row of output needs no more
MOST_KEPT = 8 * COLUMNS  # bytes


class Scratch(local):
    """Memory of a thread for what is soon done with: new pages cost as much as what fills them."""

    kept: Array = np.empty(0, dtype=np.uint8)

    def empty(self, shape: Sequence[int], dtype: DTypeLike) -> Array:
        """An array of any content, whose memory the next one takes."""
        size = prod(shape) * np.dtype(dtype).itemsize
        if size > MOST_KEPT:
            return np.empty(shape, dtype)
        if size > len(self.kept):
            self.kept = np.empty(size, dtype=np.uint8)
        return self.kept[:size].view(dtype).reshape(shape)

    def copy_of(self, x: Array) -> Array:
        """A copy in one piece."""
        copy = self.empty(x.shape, x.dtype)
        copy[...] = x
        return copy


UNROLLED, PADDED = Scratch(), Scratch()


def correlate(x: Array, weight: Array, axes: tuple[Slide, ...], groups: int) -> Array:
    """Windows of a padded input times weight [C_out, C_in / groups, taps…].

    One matrix product for each group, sample and block of rows of the output: the windows of a
    block, or of several groups, unrolled to [groups, C_in / groups * taps, positions], are the only
    large temporary. The windows of a 1x1 kernel of stride 1 are the pixels.
    """
    batch, rank, taps = x.shape[0], len(axes), weight[0].size
    matrix = weight.reshape(groups, -1, taps)
    if all(axis.kernel == axis.stride == 1 for axis in axes):
        y: Array = np.matmul(matrix, x.reshape(batch, groups, taps, -1))
        return y.reshape(batch, -1, *x.shape[2:])
    view = windows(x, axes)
    sizes = view.shape[2 : 2 + rank]
    view = view.reshape(batch, groups, -1, *view.shape[2:])
    order = (0, 1, *range(rank + 2, 2 * rank + 2), *range(2, rank + 2))  # taps before positions
    result = np.empty((batch, groups, matrix.shape[1], prod(sizes)), dtype=x.dtype)
    row = prod(sizes[1:])
    rows = min(sizes[0], max(1, COLUMNS // (taps * row)))
    some = max(1, COLUMNS // (taps * row * rows))
    for sample, group, first in product(
        range(batch), range(0, groups, some), range(0, sizes[0], rows)
    ):
        part = slice(group, group + some)
        piece = view[sample, part, :, first : first + rows].transpose(order)
        columns = UNROLLED.copy_of(piece).reshape(len(piece), taps, -1)
        place = slice(first * row, (first + rows) * row)
        np.matmul(matrix[part], columns, out=result[sample, part, :, place])
    return result.reshape(batch, -1, *sizes)


def add_bias(y: Array, arrays: Arrays) -> Array:
    """Adds the bias of each channel, if there is one, to `y` itself."""
    if "bias" in arrays:
        y += arrays["bias"].reshape(-1, *([1] * (y.ndim - 2)))
    return y


@kernel(Conv)
def conv(op: Conv, inputs: Inputs, arrays: Arrays) -> Array:
    """Sum over the channels of a group and the taps of a window, plus the bias."""
    axes = slides(inputs[0].shape[2:], op.kernel, op.stride, op.pad, op.dilation)
    x = padded(inputs[0], axes, op.pad_mode, empty=PADDED.empty)
    return add_bias(correlate(x, arrays["weight"], axes, op.groups), arrays)


@kernel(Deconv)
def deconv(op: Deconv, inputs: Inputs, arrays: Arrays) -> Array:
    """Each input pixel adds its kernel to the full output, which is then cut to size."""
    x, weight = inputs[0], arrays["weight"]
    batch, spatial = x.shape[0], x.shape[2:]
    axes = transposed_slides(op.kernel, op.stride, op.pad, op.dilation, len(spatial))
    extra = each(op.output_pad, len(spatial))
    full = [(w - 1) * a.stride + a.extent + e for w, a, e in zip(spatial, axes, extra, strict=True)]
    y = np.zeros((batch, op.channels, *full), dtype=x.dtype)
    pixels = x.reshape(batch, op.groups, -1, prod(spatial))
    matrices = weight.reshape(op.groups, -1, *weight.shape[1:]).swapaxes(1, 2)  # [G, out, in, taps]
    for tap in np.ndindex(*(a.kernel for a in axes)):
        places = tuple(
            slice(t * a.dilation, t * a.dilation + (w - 1) * a.stride + 1, a.stride)
            for t, a, w in zip(tap, axes, spatial, strict=True)
        )
        values = matrices[(..., *tap)] @ pixels
        y[(slice(None), slice(None), *places)] += values.reshape(batch, -1, *spatial)
    cut = tuple(slice(a.before, size - a.after) for a, size in zip(axes, full, strict=True))
    return add_bias(y[(slice(None), slice(None), *cut)], arrays)
