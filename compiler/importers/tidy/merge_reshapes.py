"""Reshapes that follow one another are the last one, or nothing."""

from __future__ import annotations

from compiler.ops.reshape import Flatten, Reshape
from compiler.rewriting import Rewriting


def merge_reshapes(rewriting: Rewriting) -> None:
    """A flatten or reshape behind another takes that one's input; one that changes nothing goes."""
    for node in rewriting.each():
        source = rewriting.before(node)
        if not isinstance(node.op, Flatten | Reshape) or source is None:
            continue
        if isinstance(source.op, Flatten | Reshape):
            if rewriting.nodes[source.inputs[0]].shape == node.shape:
                rewriting.drop(node.name, source.inputs[0])
            else:
                rewriting.become(node, node.op, source)
            rewriting.remove(source.name)
