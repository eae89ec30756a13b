"""Moving channels in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from compiler.ops.shapes import channels_of


@lowers(Channels)
def channels(op: Channels, emit: Emitter, x: str) -> str:
    """A Slice of the channels."""
    first, beyond, axis = emit.ints([op.first]), emit.ints([op.last + 1]), emit.ints([1])
    return emit.node("Slice", x, first, beyond, axis)


@lowers(PadChannels)
def pad_channels(op: PadChannels, emit: Emitter, x: str) -> str:
    """A Pad of the channels."""
    rest = [0] * (len(emit.output) - 1)
    pads = emit.ints([0, op.before, *rest, 0, op.after, *rest])
    return emit.node("Pad", x, pads, mode="constant")


@lowers(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, emit: Emitter, x: str) -> str:
    """The channels as a table of groups, transposed."""
    each = channels_of(emit.inputs[0], op.name) // op.groups
    split = emit.node("Reshape", x, emit.ints([0, op.groups, each, -1]))
    dealt = emit.node("Transpose", split, perm=[0, 2, 1, 3])
    return emit.node("Reshape", dealt, emit.node("Shape", x))


@lowers(PixelUnshuffle)
def pixel_unshuffle(op: PixelUnshuffle, emit: Emitter, x: str) -> str:
    """A SpaceToDepth, which puts the r*r places before the channels, and the two swapped."""
    places = emit.node("SpaceToDepth", x, blocksize=op.r)
    count = channels_of(emit.inputs[0], op.name)
    split = emit.node("Reshape", places, emit.ints([0, op.r**2, count, -1]))
    dealt = emit.node("Transpose", split, perm=[0, 2, 1, 3])
    return emit.node("Reshape", dealt, emit.node("Shape", places))


@lowers(PixelShuffle)
def pixel_shuffle(op: PixelShuffle, emit: Emitter, x: str) -> str:
    """A DepthToSpace."""
    return emit.node("DepthToSpace", x, blocksize=op.r, mode="CRD")
