"""Which layers make after the rewrites what they made before."""

from __future__ import annotations

from compiler.graph import Graph, Node
from compiler.importers.tidy.merge_transposes import is_pointwise


def untouched(before: Graph, after: Graph) -> set[str]:
    """The layers that certainly make the same tensor in both graphs: not all that do.

    Op, numbers, shape and inputs are the same. A rewrite gives the last layer of what it merges its
    old tensor again, so what comes later is the same too; only activations may have changed the
    order of their axes unseen, between two transposes that went.
    """
    found: set[str] = set()
    for node in after.nodes():
        if node.name in before and is_same(before, before[node.name], after, node):
            changed = is_pointwise(node) and not found.issuperset(node.inputs)
            if not changed:
                found.add(node.name)
    return found


def is_same(before: Graph, old: Node, after: Graph, new: Node) -> bool:
    """Whether a layer is what it was, inputs and numbers included."""
    if (old.op, old.inputs, old.shape, old.owner) != (new.op, new.inputs, new.shape, new.owner):
        return False
    names = [new.array(weight.name) for weight in after.weights(new)]
    return all(before.values.get(name) is after.values.get(name) for name in names)
