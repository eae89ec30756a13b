"""Moved channels in PyTorch."""

from __future__ import annotations

from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from compiler.torch import writes
from compiler.torch.layer import Layer, padded


@writes(Channels)
def channels(op: Channels, layer: Layer, x: str) -> str:
    """A slice."""
    if op.first == op.last:
        return f"{x}[:, {op.first}:{op.last + 1}]"
    return f"{x}[:, {op.first or ''}:{op.last + 1 if op.last + 1 != layer.shape[0] else ''}]"


@writes(PadChannels)
def pad_channels(op: PadChannels, layer: Layer, x: str) -> str:
    """F.pad in front of the spatial axes."""
    return padded(x, (*[0] * (2 * layer.rank), op.before, op.after))


@writes(ChannelShuffle)
def channel_shuffle(op: ChannelShuffle, layer: Layer, x: str) -> str:
    """Groups and channels change places."""
    return f"{x}.unflatten(1, ({op.groups}, -1)).transpose(1, 2).flatten(1, 2)"


@writes(PixelShuffle, PixelUnshuffle)
def pixel_shuffle(op: PixelShuffle | PixelUnshuffle, layer: Layer, x: str) -> str:
    """nn.PixelShuffle and nn.PixelUnshuffle."""
    if isinstance(op, PixelShuffle):
        return layer.function("F.pixel_shuffle", x, "nn.PixelShuffle", upscale_factor=op.r)
    return layer.function("F.pixel_unshuffle", x, "nn.PixelUnshuffle", downscale_factor=op.r)
