"""Padding that a format keeps apart from the window that it is for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from compiler.graph import Node
from compiler.importers.window_arguments import convolution_pad
from compiler.ops.base import Axis, Op, Shape, ShapeError
from compiler.ops.convolution import Conv
from compiler.ops.filtering import Filter
from compiler.ops.pooling import AvgPool, LpPool
from compiler.ops.spatial import Pad
from compiler.rewriting import Rewriting


def merge_pads(rewriting: Rewriting) -> None:
    """A `pad` before a window becomes the window's own padding where that means the same.

    Zeros do for conv, filter, lppool, and avgpool when its padding counts; other borders for conv
    and filter without a padding of their own. A maxpool's own padding never wins, so it stays, and
    so does one before a constant for each channel, which is no window. Of one that several layers
    take, which an exporter wrote once, each gets it.
    """
    takers: defaultdict[str, list[str]] = defaultdict(list)
    for node in rewriting.each():
        for name in node.inputs:
            takers[name].append(node.name)
    for node in reversed([*rewriting.each()]):  # of pads in a row the last goes first
        own = takers[node.name]
        if not isinstance(node.op, Pad) or rewriting.uses(node.name) != len(own):
            continue
        nodes = [rewriting.nodes[name] for name in own]
        try:
            merged = [with_pad(rewriting, taker, node, node.op) for taker in nodes]
            if None in merged:
                continue
            for taker, op in zip(nodes, merged, strict=True):
                rewriting.become(taker, op or taker.op, node)
        except ShapeError:
            continue
        rewriting.remove(node.name)
        (source,) = node.inputs
        takers[source] = [name for name in takers[source] if name != node.name] + own


def with_pad(rewriting: Rewriting, node: Node, source: Node, pad: Pad) -> Op | None:
    """The window with the padding of the layer before it, None where that would differ."""
    op, facts = node.op, rewriting.facts
    if node.name in rewriting.constants:
        return None
    if not isinstance(op, Conv | Filter | LpPool | AvgPool):
        return None
    own = op.axes(source.shape[1:], facts)
    bare = all(axis.before == axis.after == 0 for axis in own)
    given = rewriting.nodes[source.inputs[0]].shape[1:]
    around = pad.axes(given, facts)
    if around is None:
        return None
    match op:
        case Conv() | Filter():
            if (pad.mode != "zero" or op.pad_mode != "zero") and not bare:
                return None
            return replace(op, pad=summed(around, own, given, rewriting), pad_mode=pad.mode)
        case LpPool() | AvgPool():
            counts = isinstance(op, LpPool) or bare
            if pad.mode != "zero" or op.ceil or not counts:
                return None
            return replace(op, pad=summed(around, own, given, rewriting))


def summed(
    around: tuple[Axis, ...], own: tuple[Axis, ...], given: Shape, rewriting: Rewriting
) -> Any:
    """The pads of both together, as an argument."""
    pairs = tuple(
        (a.before + b.before, a.after + b.after) for a, b in zip(around, own, strict=True)
    )
    extents, strides = [axis.extent for axis in own], [axis.stride for axis in own]
    facts = rewriting.facts
    pad = convolution_pad(pairs, given, extents, strides, facts)
    return tuple(map(tuple, pad)) if isinstance(pad, list) else pad
