"""Reshapes that follow one another are the last one, or nothing."""

from __future__ import annotations

from compiler.importers.imported import Imported
from compiler.importers.tidy.rewriting import Rewriting
from compiler.ops.reshape import Flatten, Reshape


def merge_reshapes(imported: Imported) -> Imported:
    """A flatten or reshape behind another takes that one's input; one that changes nothing goes."""
    rewriting = Rewriting(imported)
    for name in list(rewriting.nodes):
        node = rewriting.nodes[name]
        source = rewriting.before(node)
        if not isinstance(node.op, Flatten | Reshape) or source is None:
            continue
        if isinstance(source.op, Flatten | Reshape):
            if rewriting.nodes[source.inputs[0]].shape == node.shape:
                rewriting.drop(name, source.inputs[0])
            else:
                rewriting.become(node, node.op, source)
            rewriting.remove(source.name)
    return rewriting.finished()
