"""A number to derive: one that depends on all that a net gives."""

from __future__ import annotations

from compiler.graph import Graph, Input, Node
from compiler.ops.joins import Add, Mul
from compiler.ops.losses import Average


def with_objective(graph: Graph) -> Graph:
    """The graph with an output that depends on every number of every output, each in its way."""
    nodes, parts = [*graph.nodes()], []
    for output, name in graph.outputs.items():
        source = graph[name]
        weights = Node(f"{output}/weights", Input(), (), source.shape, source.span)
        product = Node(f"{output}/product", Mul(), (name, weights.name), source.shape, source.span)
        part = Node(f"{output}/part", Average(), (product.name,), (), source.span)
        nodes += [weights, product, part]
        parts.append(part)
    total = Node("objective", Add(), tuple(part.name for part in parts), (), parts[0].span)
    return graph.rebuilt([*nodes, total], outputs={"objective": "objective"})
