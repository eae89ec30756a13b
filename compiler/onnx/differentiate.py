"""Reverse mode over a lowering: the nodes that work out derivatives, behind those of the layers.

The layers are walked from the last to the first; each hands the derivative by its output on to its
inputs and its arrays. What several layers use sums what they hand it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import onnx

from compiler.graph import Graph, Input, Node
from compiler.onnx.checkpoint import Segments, run_again
from compiler.onnx.emitter import Emitter, Lowering, Writer
from compiler.onnx.gradients import DERIVATIVES, Gradients, by_inputs
from compiler.onnx.lower import metadata_of, set_metadata
from compiler.ops.activate import Relu
from compiler.ops.base import ShapeError
from compiler.verify import fault
from grammar.diagnostics import DefinitionError
from grammar.records import dataclass


@dataclass(frozen=True)
class Derivatives:
    """The tensors that hold the derivatives, by layer or input and by parameter."""

    by_tensor: dict[str, str]
    by_parameter: dict[str, str]


def differentiate(
    lowering: Lowering,
    emitters: Mapping[str, Emitter],
    last: str,
    seed: str,
    parameters: Collection[str],
    inputs: Collection[str] = (),
    segments: Segments | None = None,
) -> Derivatives:
    """Write the derivatives of layer `last`, by whose output it is `seed`.

    By these parameters and inputs, and by every layer on the way to them. With `segments` the
    layers of all but the last are run again when the walk comes to them. Raises
    `DefinitionError` where the way leads through a layer that has no derivative.
    """
    graph, emitters, first_run = lowering.graph, dict(emitters), dict(lowering.tensor_of)
    entered = {segments.last} if segments is not None else set()
    wanted = on_the_way(graph, parameters, inputs)
    handed: dict[str, list[str]] = {last: [seed]}
    by_array: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    users, shorter = graph.users(), dict[str, str]()
    for node in reversed([*graph.nodes()]):
        if node.name not in handed or node.name not in wanted:
            continue
        dy = summed(lowering, node.name, handed[node.name])
        found[node.name] = dy
        if isinstance(node.op, Input):
            continue
        if segments is not None and segments.of_layer[node.name] not in entered:
            place = segments.of_layer[node.name]
            entered.add(place)
            layers = [n for n in graph.nodes() if segments.of_layer.get(n.name) == place]
            run_again(lowering, emitters, layers, segments.kept, dy)
        emit = Emitter(lowering, node, "gradient/")
        emit.kept = emitters[node.name].kept
        if node.name in shorter:
            gradients = by_inputs(shorter[node.name])
        else:
            inputs_here = [lowering.tensor_of[name] for name in node.inputs]
            gradients = run_rule(node, emit, dy, inputs_here)
        if gradients.before_relu is not None:
            (source,) = node.inputs
            if isinstance(graph[source].op, Relu) and users[source] == [node]:
                shorter[source] = gradients.before_relu
        for source, tensor in zip(node.inputs, gradients.inputs, strict=True):
            if tensor is not None and source in wanted:
                handed.setdefault(source, []).append(tensor)
        for array, tensor in gradients.arrays.items():
            full = node.array(array)
            if full in parameters:
                by_array.setdefault(full, []).append(tensor)
        for proto in emit.nodes:
            set_metadata(proto, metadata_of(node))
        lowering.nodes += emit.nodes
    lowering.tensor_of = first_run
    sums = {
        name: summed(lowering, f"parameter/{name}", tensors) for name, tensors in by_array.items()
    }
    return Derivatives(found, sums)


def run_rule(node: Node, emit: Emitter, dy: str, inputs: list[str]) -> Gradients:
    """The derivatives of one layer; raises `DefinitionError` where it has none."""
    rule = DERIVATIVES.get(type(node.op))
    if rule is None:
        message = f"{node.op.name} has no derivative: {node.op.no_derivative}"
        raise DefinitionError([fault(node, "E703", message)])
    try:
        return rule(node.op, emit, dy, *inputs)
    except ShapeError as error:
        raise DefinitionError([fault(node, error.code, error.message, *error.notes)]) from None


def on_the_way(graph: Graph, parameters: Collection[str], inputs: Collection[str]) -> set[str]:
    """The inputs, layers that hold a parameter or take nothing, and all that come after them."""
    found: set[str] = set(inputs)
    for node in graph.nodes():
        holds = any(node.array(w.name) in parameters for w in graph.weights(node))
        if holds or node.op.most_inputs == 0 or any(source in found for source in node.inputs):
            found.add(node.name)
    return found


def summed(lowering: Lowering, name: str, tensors: list[str]) -> str:
    """One tensor, or the sum of several."""
    if len(tensors) == 1:
        return tensors[0]
    write = Writer(lowering, f"gradient/{name}", "f32")
    total = write.node("Sum", *tensors)
    lowering.nodes += write.nodes
    return total


def sweep(nodes: list[onnx.NodeProto], outputs: Collection[str]) -> list[onnx.NodeProto]:
    """The nodes that some output depends on, in their order."""
    needed, kept = set(outputs), []
    for node in reversed(nodes):
        if any(output in needed for output in node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]
