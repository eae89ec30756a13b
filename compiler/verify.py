"""The verifier: whether a graph keeps every rule, whoever built or rewrote it.

ONNX's own checker accepts wrong channels, groups that do not divide and kernels larger than their
input, so this one trusts nothing: every shape is inferred again from its inputs.
"""

from __future__ import annotations

import networkx as nx

from compiler.graph import Graph, Input, Node
from compiler.ops.base import ShapeError, show_shape
from compiler.shapes import infer
from grammar.diagnostics import Diagnostic


def verify(graph: Graph) -> list[Diagnostic]:
    """Every broken rule as an error."""
    if not nx.is_directed_acyclic_graph(graph.digraph):
        node = next(iter(graph.digraph))
        return [fault(graph[node], "G001", "the graph has a cycle")]
    found: list[Diagnostic] = []
    for node in graph.nodes():
        found += verify_node(graph, node)
    if not graph.outputs and len(graph):
        found.append(fault(next(graph.nodes()), "E501", "the network has no output"))
    for output, name in graph.outputs.items():
        if name not in graph:
            found.append(
                fault(
                    next(graph.nodes()),
                    "G001",
                    f"output {output} is the tensor {name}, which nothing makes",
                )
            )
    return found


def verify_node(graph: Graph, node: Node) -> list[Diagnostic]:
    """The rules that one node can break."""
    if isinstance(node.op, Input):
        if not 1 <= len(node.shape) <= 4:
            return [fault(node, "E305", "an input has 1 to 4 sizes")]
        return []
    missing = [name for name in node.inputs if name not in graph]
    if missing:
        return [fault(node, "G001", f"{node.name} takes {missing[0]}, which nothing makes")]
    if set(node.inputs) != set(graph.digraph.predecessors(node.name)):
        return [fault(node, "G001", f"the edges into {node.name} are not its inputs")]
    least, most = node.op.least_inputs, node.op.most_inputs
    if len(node.inputs) < least or (most is not None and len(node.inputs) > most):
        return [fault(node, "G001", f"{node.op.name} cannot take {len(node.inputs)} inputs")]
    try:
        shape = infer(node.op, graph.input_shapes(node), graph.facts)
    except ShapeError as error:
        return [fault(node, error.code, error.message, *error.notes)]
    if len(shape) != len(node.shape) or not all(
        graph.facts.equal(a, b) for a, b in zip(shape, node.shape, strict=True)
    ):
        return [
            fault(
                node,
                "E301",
                f"{node.name} is {show_shape(node.shape)}, but its inputs make {show_shape(shape)}",
            )
        ]
    return verify_values(graph, node)


def verify_values(graph: Graph, node: Node) -> list[Diagnostic]:
    """Whether the numbers of a node's parameters, if there are any, have the right shapes."""
    found = []
    for weight in graph.weights(node):
        values = graph.values.get(f"{node.parameters_of}.{weight.name}")
        if values is not None and tuple(values.shape) != weight.shape:
            found.append(
                fault(
                    node,
                    "G002",
                    f"{node.parameters_of}.{weight.name} has shape "
                    f"{show_shape(values.shape)}, but {node.name} needs "
                    f"{show_shape(weight.shape)}",
                )
            )
    return found


def fault(node: Node, code: str, message: str, *notes: str) -> Diagnostic:
    """An error placed at a node."""
    return Diagnostic(code, message, node.span, notes=tuple(notes), trail=node.trail)
