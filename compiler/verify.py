"""The verifier: whether a graph keeps every rule, whoever built or rewrote it.

ONNX's own checker accepts wrong channels, groups that do not divide and kernels larger than their
input, so this one trusts nothing: every shape is inferred again from its inputs.
"""

from __future__ import annotations

from compiler.graph import Graph, Input, Node
from compiler.numbers import check_numbers, is_whole
from compiler.ops.base import ShapeError, show_shape
from compiler.ops.shapes import infer
from compiler.ops.sizes import MOST_AXES
from grammar.diagnostics import Diagnostic


def verify(graph: Graph) -> list[Diagnostic]:
    """Every broken rule as an error."""
    found: list[Diagnostic] = []
    before: set[str] = set()
    for node in graph.nodes():
        found += verify_place(graph, node, before) or verify_node(graph, node)
        before.add(node.name)
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
        elif is_whole(graph[name]):
            found.append(fault(graph[name], "E309", f"output {output} holds whole numbers"))
    return found


def verify_place(graph: Graph, node: Node, before: set[str]) -> list[Diagnostic]:
    """Whether a node's inputs stand before it, by which a graph has no cycle."""
    for name in node.inputs:
        if name not in graph:
            return [fault(node, "G001", f"{node.name} takes {name}, which nothing makes")]
        if name not in before:
            return [fault(node, "G001", f"{node.name} takes {name}, which comes after it")]
    return []


def verify_node(graph: Graph, node: Node) -> list[Diagnostic]:
    """The rules that one node can break whose inputs are there."""
    if isinstance(node.op, Input):
        if not 1 <= len(node.shape) <= MOST_AXES:
            return [fault(node, "E305", f"an input has 1 to {MOST_AXES} sizes")]
        return []
    least, most = node.op.least_inputs, node.op.most_inputs
    if len(node.inputs) < least or (most is not None and len(node.inputs) > most):
        return [fault(node, "G001", f"{node.op.name} cannot take {len(node.inputs)} inputs")]
    try:
        check_numbers(node.op, [graph[name] for name in node.inputs])
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
        values = graph.values.get(node.array(weight.name))
        if values is not None and tuple(values.shape) != weight.shape:
            found.append(
                fault(
                    node,
                    "G002",
                    f"{node.array(weight.name)} has shape "
                    f"{show_shape(values.shape)}, but {node.name} needs "
                    f"{show_shape(weight.shape)}",
                )
            )
    return found


def fault(node: Node, code: str, message: str, *notes: str) -> Diagnostic:
    """An error placed at a node."""
    return Diagnostic.of(code, message, node.span, notes=tuple(notes), call_stack=node.call_stack)
