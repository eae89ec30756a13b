"""Moving channels in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from runtime.kernels import Array, Arrays, Inputs, kernel


@kernel(Channels)
def channels(op: Channels, inputs: Inputs, arrays: Arrays) -> Array:
    """The channels first to last."""
    return inputs[0][:, op.first : op.last + 1]


@kernel(PadChannels)
def pad_channels(op: PadChannels, inputs: Inputs, arrays: Arrays) -> Array:
    """Channels of zeros before and after."""
    rest = [(0, 0)] * (inputs[0].ndim - 2)
    return np.pad(inputs[0], [(0, 0), (op.before, op.after), *rest])


@kernel(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, inputs: Inputs, arrays: Arrays) -> Array:
    """Channel g*n + i moves to i*groups + g."""
    x = inputs[0]
    grouped = x.reshape(x.shape[0], op.groups, -1, *x.shape[2:])
    return grouped.swapaxes(1, 2).reshape(x.shape)


@kernel(PixelUnshuffle)
def pixel_unshuffle(op: PixelUnshuffle, inputs: Inputs, arrays: Arrays) -> Array:
    """y[c*r*r + i*r + j, h, w] = x[c, h*r + i, w*r + j]."""
    batch, channels, height, width = inputs[0].shape
    r = op.r
    split = inputs[0].reshape(batch, channels, height // r, r, width // r, r)
    return split.transpose(0, 1, 3, 5, 2, 4).reshape(batch, -1, height // r, width // r)


@kernel(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, inputs: Inputs, arrays: Arrays) -> Array:
    """y[c, h*r + i, w*r + j] = x[c*r*r + i*r + j, h, w]."""
    batch, channels, height, width = inputs[0].shape
    r = op.r
    split = inputs[0].reshape(batch, channels // r**2, r, r, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(batch, channels // r**2, height * r, width * r)
