"""Drop what no output needs."""

from __future__ import annotations

from compiler.graph import Graph, Input


def drop_dead_nodes(graph: Graph) -> Graph:
    """Remove layers that reach no output, and the numbers that nothing uses any more.

    Inputs stay, since a caller feeds them. Requires nothing; guarantees that every layer is used.
    """
    needed = {node.name for node in graph.upstream(graph.outputs.values())}
    kept = [node for node in graph.nodes() if node.name in needed or isinstance(node.op, Input)]
    smaller = graph.rebuilt(kept)
    used = smaller.parameters()
    values = {name: value for name, value in graph.values.items() if name in used}
    return smaller.rebuilt(kept, values=values)
