"""Transposes that undo one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from compiler.dims import Dim
from compiler.graph import Node
from compiler.ops.activate import Activation, LogSoftmax, PRelu, Softmax
from compiler.ops.base import Op
from compiler.ops.connect import Dense, Identity
from compiler.ops.normalise import LayerNorm
from compiler.ops.reducing import L2Norm
from compiler.ops.reshape import Transpose
from compiler.ops.shapes import per_sample_axes, per_sample_axis
from compiler.rewriting import Rewriting


def merge_transposes(rewriting: Rewriting) -> None:
    """Two permutations of the axes in a row become their product; the identity goes.

    Activations between two do not care for the order of the axes, and what works along an axis does
    so along the one that was moved there: PyTorch's LayerNorm and Linear know the last axis alone.
    """
    for second in rewriting.each():
        if not isinstance(second.op, Transpose):
            continue
        between: list[Node] = []
        first = rewriting.before(second)
        while first is not None and (is_pointwise(first) or is_along(rewriting, first)):
            between.append(first)
            first = rewriting.before(first)
        if first is None or not isinstance(first.op, Transpose):
            continue
        order = tuple(first.op.order[axis] for axis in second.op.order)
        turned = [turn(node, first.op.order) for node in between]
        if None in turned:
            continue
        undone = list(order) == sorted(order)
        if undone:
            rewriting.drop(second.name, second.inputs[0])
        rewriting.drop(first.name, first.inputs[0])
        for node, op in zip(reversed(between), reversed(turned), strict=True):
            current = rewriting.nodes[node.name]
            rewriting.become(current, op or current.op, current)
        if not undone:
            current = rewriting.nodes[second.name]
            rewriting.become(current, Transpose(order=order), current)


def part_transposes(rewriting: Rewriting) -> None:
    """Layers that each move the axes back get a permutation each where they share one.

    An exporter writes it once for all that work along the axis that it moves.
    """
    takers: defaultdict[str, list[Node]] = defaultdict(list)
    for node in rewriting.each():
        for name in node.inputs:
            takers[name].append(node)
    for node in rewriting.each():
        along = takers[node.name]
        if not isinstance(node.op, Transpose) or rewriting.uses(node.name) != len(along):
            continue
        behind = [takers[each.name] for each in along if is_along(rewriting, each)]
        back = [len(found) == 1 and isinstance(found[0].op, Transpose) for found in behind]
        if len(back) != len(along) or not all(back):
            continue
        for place, taker in enumerate(along[1:], start=2):
            copy = replace(node, name=f"{node.name}/{place}", owner="")
            rewriting.insert(copy, taker.name)
            rewriting.put(replace(taker, inputs=(copy.name,)))


def is_pointwise(node: Node) -> bool:
    """Whether a layer does the same to every value, wherever it stands."""
    if isinstance(node.op, Softmax | LogSoftmax | PRelu):
        return False
    return isinstance(node.op, Activation | Identity)


def is_along(rewriting: Rewriting, node: Node) -> bool:
    """Whether a layer works along axes, wherever these are, their sizes known.

    A product whose matrix nobody has named is left to `turn_products`.
    """
    if isinstance(node.op, Dense):
        if node.name not in rewriting.kept or rewriting.shares(node):
            return False
    elif not isinstance(node.op, Softmax | LogSoftmax | L2Norm | LayerNorm):
        return False
    (given,) = rewriting.shapes(node)
    return not any(isinstance(size, Dim) for size in given)


def turn(node: Node, order: Sequence[int]) -> Op | None:
    """The layer along the axes that a transpose of this order moved to where it works.

    None where its numbers would have to be rearranged.
    """
    op = node.op
    if isinstance(op, Dense):
        return replace(op, axis=order[op.along(node.shape)])
    if isinstance(op, LayerNorm):
        places = [order[axis] for axis in per_sample_axes(op.axis, node.shape, op.name)]
        axes = places[0] if len(places) == 1 else tuple(places)
        return replace(op, axis=axes) if places == sorted(places) else None
    if isinstance(op, Softmax | LogSoftmax | L2Norm):
        return replace(op, axis=order[per_sample_axis(op.axis, node.shape, op.name)])
    return op
