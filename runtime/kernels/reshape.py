"""Moving values in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.domain import Facts
from compiler.ops.reshape import (
    Channels,
    ChannelShuffle,
    Crop,
    Flatten,
    Pad,
    PadChannels,
    PixelShuffle,
    Reshape,
    Transpose,
    Upsample,
)
from compiler.shapes import per_axis
from runtime.kernels import Array, Arrays, kernel
from runtime.kernels.windows import padded


@kernel(Flatten)
def flatten(op: Flatten, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """[N, …] to [N, product]."""
    return inputs[0].reshape(inputs[0].shape[0], -1)


@kernel(Reshape)
def reshape(op: Reshape, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same values under another shape; one symbolic size follows from the others."""
    sizes = [size if isinstance(size, int) else None for size in op.shape]
    if sizes.count(None) > 1:  # sizes that stay where they are
        sizes = [
            inputs[0].shape[i + 1] if s is None and i + 1 < inputs[0].ndim else s
            for i, s in enumerate(sizes)
        ]
    return inputs[0].reshape(inputs[0].shape[0], *(-1 if s is None else s for s in sizes))


@kernel(Transpose)
def transpose(op: Transpose, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The axes in another order."""
    return inputs[0].transpose(0, *(axis + 1 for axis in op.order))


@kernel(Crop)
def crop(op: Crop, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """A window of the map; symbolic sizes leave as much at the end as at the beginning."""
    x = inputs[0]
    found = [slice(None), slice(None)]
    for size, keep, given in zip(x.shape[2:], (op.h, op.w), (op.top, op.left), strict=True):
        if isinstance(keep, int):
            start = (size - keep) // 2 if given is None else given
            found.append(slice(start, start + keep))
            continue
        raise ValueError("a crop to a symbolic size is resolved before it runs")
    return x[tuple(found)]


@kernel(Pad)
def pad(op: Pad, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Pixels added around the map."""
    return padded(inputs[0], op.axes(inputs[0].shape[2:], Facts()), op.mode)


@kernel(Upsample)
def upsample(op: Upsample, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Axis by axis: pixels repeated, or weighted means of the two nearest centres."""
    x = inputs[0]
    for axis, factor in enumerate(per_axis(op.scale, x.ndim - 2, "scale"), start=2):
        if op.mode == "nearest":
            x = np.repeat(x, factor, axis=axis)
            continue
        size = x.shape[axis]
        centres = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.floor(centres).astype(int)
        high = np.minimum(low + 1, size - 1)
        shape = [1] * x.ndim
        shape[axis] = -1
        share = (centres - low).astype(x.dtype).reshape(shape)
        x = x.take(low, axis=axis) * (1 - share) + x.take(high, axis=axis) * share
    return x


@kernel(Channels)
def channels(op: Channels, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The channels first to last."""
    return inputs[0][:, op.first : op.last + 1]


@kernel(PadChannels)
def pad_channels(op: PadChannels, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Channels of zeros before and after."""
    rest = [(0, 0)] * (inputs[0].ndim - 2)
    return np.pad(inputs[0], [(0, 0), (op.before, op.after), *rest])


@kernel(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Channel g*n + i moves to i*groups + g."""
    x = inputs[0]
    grouped = x.reshape(x.shape[0], op.groups, -1, *x.shape[2:])
    return grouped.swapaxes(1, 2).reshape(x.shape)


@kernel(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """y[c, h*r + i, w*r + j] = x[c*r*r + i*r + j, h, w]."""
    batch, channels, height, width = inputs[0].shape
    r = op.r
    split = inputs[0].reshape(batch, channels // r**2, r, r, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(batch, channels // r**2, height * r, width * r)
