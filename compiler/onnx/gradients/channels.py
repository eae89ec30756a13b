"""Derivatives of the ops that move channels in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import like
from compiler.onnx.gradients.windows import part
from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from compiler.ops.shapes import channels_of, known


@differentiates(Channels)
def channels(op: Channels, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy for the channels taken, 0 for the others."""
    rest = [0] * (len(emit.output) - 1)
    after = channels_of(emit.inputs[0], op.name) - op.last - 1
    return by_inputs(emit.node("Pad", dy, emit.ints([0, op.first, *rest, 0, after, *rest])))


@differentiates(PadChannels)
def pad_channels(op: PadChannels, emit: Emitter, dy: str, x: str) -> Gradients:
    """The channels between the added ones."""
    count = channels_of(emit.inputs[0], op.name)
    return by_inputs(part(emit, dy, 1, op.before, op.before + count))


@differentiates(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, emit: Emitter, dy: str, x: str) -> Gradients:
    """Channel i*groups + g moves back to g*n + i."""
    each = channels_of(emit.inputs[0], op.name) // op.groups
    dealt = emit.node("Reshape", dy, emit.ints([0, each, op.groups, -1]))
    return by_inputs(like(emit, emit.node("Transpose", dealt, perm=[0, 2, 1, 3]), x))


@differentiates(PixelUnshuffle)
def pixel_unshuffle(op: PixelUnshuffle, emit: Emitter, dy: str, x: str) -> Gradients:
    """pixel_shuffle."""
    return by_inputs(emit.node("DepthToSpace", dy, blocksize=op.r, mode="CRD"))


@differentiates(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, emit: Emitter, dy: str, x: str) -> Gradients:
    """dx[c*r*r + i*r + j, h, w] = dy[c, h*r + i, w*r + j]."""
    _, height, width = known(emit.inputs[0], op.name)
    count = channels_of(emit.output, op.name)
    split = emit.node("Reshape", dy, emit.ints([0, count, height, op.r, width, op.r]))
    return by_inputs(like(emit, emit.node("Transpose", split, perm=[0, 1, 3, 5, 2, 4]), x))
