"""The verifier: whether a graph keeps every rule, whoever built or rewrote it.

ONNX's own checker accepts wrong channels, groups that do not divide and kernels larger than their
input, so this one trusts nothing: every shape is inferred again from its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.graph import Graph, Input, Node, is_whole
from compiler.ops.base import Op, ShapeError, show_shape
from compiler.ops.gathering import rows_of
from compiler.ops.shapes import infer
from compiler.ops.sizes import MOST_AXES
from compiler.ops.tensors import Const
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
    if shape != node.shape and (
        len(shape) != len(node.shape) or not all(map(graph.facts.equal, shape, node.shape))
    ):
        return [
            fault(
                node,
                "E301",
                f"{node.name} is {show_shape(node.shape)}, but its inputs make {show_shape(shape)}",
            )
        ]
    return verify_values(graph, node)


def check_numbers(op: Op, sources: Sequence[Node]) -> None:
    """Raise E309 unless whole numbers stand where an op takes them, and only there."""
    for place, source in enumerate(sources):
        if place in op.whole_inputs and not is_whole(source) and not isinstance(source.op, Const):
            raise ShapeError(
                "E309",
                f"{op.name} takes whole numbers",
                label=f"{source.name} holds others",
                help=f"an input of them is written {source.name}: i64[…]"
                if isinstance(source.op, Input)
                else "they come from an input of type i64, or from a const",
            )
        if is_whole(source) and place not in (*op.whole_inputs, *op.class_inputs):
            raise ShapeError(
                "E309",
                f"{op.name} takes no whole numbers",
                label=f"{source.name} is of type i64",
                help="`gather(rows, channels)` makes a vector of each of them",
            )
        if place in op.whole_inputs and isinstance(source.op, Const):
            check_places(op, source.op, rows_of(op, tuple(node.shape for node in sources)))


def check_places(op: Op, index: Const, rows: int | None) -> None:
    """Raise E306 where a fixed index leads outside of its table."""
    for place in flat(index.values):
        if place != int(place) or place < 0 or (rows is not None and place >= rows):
            last = "" if rows is None else f" to {rows - 1}"
            raise ShapeError(
                "E306", f"{op.name} takes whole numbers from 0{last}", label=f"{place:g}"
            )


def flat(values: object) -> Sequence[float]:
    """The numbers in nested tuples, in order; none where the weights have them."""
    if values is None:
        return ()
    if isinstance(values, tuple):
        return [number for value in values for number in flat(value)]
    assert isinstance(values, float)
    return (values,)


def verify_values(graph: Graph, node: Node) -> list[Diagnostic]:
    """Whether the numbers of a node's parameters, if there are any, have the right shapes."""
    found = []
    for weight in graph.weights(node) if graph.values else ():
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
