"""Derivatives of the ops that move channels."""

from __future__ import annotations

import numpy as np

from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs


@gradient(Channels)
def channels(op: Channels, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy for the channels taken, 0 for the others."""
    dx = np.zeros_like(inputs[0])
    dx[:, op.first : op.last + 1] = dy
    return by_inputs(dx)


@gradient(PadChannels)
def pad_channels(
    op: PadChannels, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """The channels between the added ones."""
    return by_inputs(dy[:, op.before : op.before + inputs[0].shape[1]])


@gradient(ChannelShuffle)
def channel_shuffle(
    op: ChannelShuffle, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """Channel i*groups + g moves back to g*n + i."""
    dealt = dy.reshape(len(dy), -1, op.groups, *dy.shape[2:])
    return by_inputs(dealt.swapaxes(1, 2).reshape(dy.shape))


@gradient(PixelUnshuffle)
def pixel_unshuffle(
    op: PixelUnshuffle, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dx[c, h*r + i, w*r + j] = dy[c*r*r + i*r + j, h, w]."""
    batch, _, height, width = dy.shape
    split = dy.reshape(batch, -1, op.r, op.r, height, width)
    return by_inputs(split.transpose(0, 1, 4, 2, 5, 3).reshape(inputs[0].shape))


@gradient(PixelShuffle)
def pixel_shuffle(
    op: PixelShuffle, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dx[c*r*r + i*r + j, h, w] = dy[c, h*r + i, w*r + j]."""
    batch, _, height, width = inputs[0].shape
    split = dy.reshape(batch, -1, height, op.r, width, op.r)
    return by_inputs(split.transpose(0, 1, 3, 5, 2, 4).reshape(inputs[0].shape))
