"""Remove the layers that change nothing at run time."""

from __future__ import annotations

from dataclasses import replace

from compiler.graph import Graph, Input, Node
from compiler.ops.connect import Dropout, Identity
from compiler.ops.reshape import Flatten
from compiler.ops.scale import Scale, Shift


def is_identity(graph: Graph, node: Node) -> bool:
    """Whether a layer hands on its single input as it is."""
    match node.op:
        case Identity() | Dropout():
            return True
        case Flatten():
            return len(graph[node.inputs[0]].shape) == 1
        case Scale(factor=1.0) | Shift(offset=0.0):
            return True
    return node.op.most_inputs is None and len(node.inputs) == 1


def remove_identity(graph: Graph) -> Graph:
    """Remove identity, dropout (which acts in training only) and other layers without effect.

    Requires nothing; guarantees that no such layer is left, but for one between an input and an
    output, which is kept as the output's own tensor.
    """
    instead: dict[str, str] = {}
    kept: list[Node] = []
    outputs = set(graph.outputs.values())
    for node in graph.nodes():
        inputs = tuple(instead.get(name, name) for name in node.inputs)
        if not isinstance(node.op, Input) and is_identity(graph, node):
            source_is_input = isinstance(graph[inputs[0]].op, Input)
            if node.name not in outputs or not source_is_input:
                instead[node.name] = inputs[0]
                continue
        kept.append(replace(node, inputs=inputs))
    named = {output: instead.get(name, name) for output, name in graph.outputs.items()}
    return graph.rebuilt(kept, outputs=named)
