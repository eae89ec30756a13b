"""Labels: the tensor of a graph that one names."""

from __future__ import annotations

from compiler.graph import Graph
from grammar.diagnostics import did_you_mean


def label_of(graph: Graph, label: str) -> str:
    """The node whose tensor a label names: a layer, an output, a tensor, what leaves a block.

    Raises KeyError with a message when nothing is called that.
    """
    if label in graph.outputs:
        return graph.outputs[label]
    if label in graph:
        return label
    if label in graph.tensors:
        return graph.tensors[label]
    inside = layers_inside(graph, label)
    if not inside:
        known = [*graph.outputs, *graph.tensors, *labels(graph)]
        hint = did_you_mean(label, known)
        raise KeyError(f"{graph.name} has no tensor {label}" + (f"; {hint}" if hint else ""))
    within, users = set(inside), graph.users()
    served = set(graph.outputs.values())
    leaving = [
        name
        for name in inside
        if name in served or any(user.name not in within for user in users[name])
    ]
    return (leaving or inside)[-1]


def layers_inside(graph: Graph, label: str) -> list[str]:
    """The layers of the block call that is called so; without one, those whose labels begin so."""
    called = [n.name for n in graph.nodes() if any(step.name == label for step in n.call_stack)]
    return called or [n.name for n in graph.nodes() if n.name.startswith(f"{label}.")]


def labels(graph: Graph) -> list[str]:
    """All layers and all blocks around them, in the order of the definition."""
    found: dict[str, None] = {}
    for node in graph.nodes():
        parts = node.name.split(".")
        found |= dict.fromkeys(".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return list(found)
