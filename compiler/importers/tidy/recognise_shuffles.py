"""Channels that are dealt out by reshape, transpose and reshape, or there and back."""

from __future__ import annotations

from math import prod

from compiler.graph import Node
from compiler.ops.base import Shape
from compiler.ops.channels import ChannelShuffle, PixelUnshuffle
from compiler.ops.reshape import Reshape, Transpose
from compiler.ops.shapes import channels_of
from compiler.rewriting import Rewriting


def recognise_shuffles(rewriting: Rewriting) -> None:
    """[g, C/g, …] with its first two axes exchanged and back to [C, …] is `channel_shuffle(g)`."""
    for first, middle, last in rewriting.chains(Reshape, Transpose, Reshape):
        given = rewriting.nodes[first.inputs[0]].shape
        if last.shape == given and deals_channels(first, middle, given):
            groups = channels_of(first.shape, "channel_shuffle")
            rewriting.become(last, ChannelShuffle(groups=groups), first)
            rewriting.remove(middle.name)
            rewriting.remove(first.name)


def drop_undone_shuffles(rewriting: Rewriting) -> None:
    """Pairs of shuffles of which the second puts back what the first dealt go."""
    for first, second in rewriting.chains(ChannelShuffle, ChannelShuffle):
        assert isinstance(first.op, ChannelShuffle) and isinstance(second.op, ChannelShuffle)
        if first.op.groups * second.op.groups != first.shape[0]:
            continue
        source = rewriting.before(first)
        if source is not None and isinstance(source.op, PixelUnshuffle):
            rewriting.become(second, source.op, source)
            rewriting.remove(first.name)
            rewriting.remove(source.name)
        else:
            rewriting.drop(second.name, instead=first.name)
            rewriting.drop(first.name, instead=first.inputs[0])


def deals_channels(first: Node, middle: Node, given: Shape) -> bool:
    """Whether the channels are split in two axes that change places, the pixels staying."""
    rank = len(first.shape)
    if rank < 3 or not given or prod(first.shape[:2]) != given[0]:
        return False
    order = middle.op.order if isinstance(middle.op, Transpose) else ()
    return order == (1, 0, *range(2, rank)) and (first.shape[2:] == given[1:] or rank == 3)
