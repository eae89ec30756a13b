"""Transposes that undo one another."""

from __future__ import annotations

from compiler.graph import Node
from compiler.ops.activate import Activation, LogSoftmax, PRelu, Softmax
from compiler.ops.connect import Identity
from compiler.ops.reshape import Transpose
from compiler.rewriting import Rewriting


def merge_transposes(rewriting: Rewriting) -> None:
    """Two permutations of the axes in a row become their product; the identity goes.

    Activations between two that undo each other do not care for the order of the axes.
    """
    for second in rewriting.each():
        if not isinstance(second.op, Transpose):
            continue
        between: list[Node] = []
        first = rewriting.before(second)
        while first is not None and is_pointwise(first):
            between.append(first)
            first = rewriting.before(first)
        if first is None or not isinstance(first.op, Transpose):
            continue
        order = tuple(first.op.order[axis] for axis in second.op.order)
        if list(order) == sorted(order):
            rewriting.drop(second.name, second.inputs[0])
            rewriting.drop(first.name, first.inputs[0])
            for node in reversed(between):
                current = rewriting.nodes[node.name]
                rewriting.become(current, current.op, current)
        elif not between:
            rewriting.become(second, Transpose(order=order), first)
            rewriting.remove(first.name)


def is_pointwise(node: Node) -> bool:
    """Whether a layer does the same to every value, wherever it stands."""
    if isinstance(node.op, Softmax | LogSoftmax | PRelu):
        return False
    return isinstance(node.op, Activation | Identity)
