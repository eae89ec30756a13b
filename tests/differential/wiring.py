"""The graph against the layers that the generator unrolled: order, inputs, arguments, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from compiler.dims import Dim, evaluate
from compiler.domain import Facts
from compiler.graph import Graph, Input, Node
from tests.differential.asked import dimensions
from tests.differential.difference import Difference
from tests.differential.rules_of_windows import transposed_windows
from tests.differential.sizes import Symbolic, value_of
from tests.differential.unrolled import Layer, Source
from tests.differential.windows import Window, windows_of

WINDOWED = ("conv", "deconv", "filter", "maxpool", "avgpool", "lppool")


def check_wiring(graph: Graph, layers: Sequence[Layer], symbols: Mapping[str, int]) -> None:
    """Each node is the layer that the definition means at its place."""
    nodes = [node for node in graph.nodes() if not isinstance(node.op, Input)]
    ops = [node.op.name for node in nodes], [layer.op for layer in layers]
    if ops[0] != ops[1]:
        raise Difference("wiring", f"layers {' '.join(ops[0])}, drawn {' '.join(ops[1])}")
    sources: dict[str, Source] = {node.name: node.name for node in graph.inputs()}
    sources |= {node.name: place for place, node in enumerate(nodes)}
    for node, layer in zip(nodes, layers, strict=True):
        inputs = tuple(sources[name] for name in node.inputs)
        wanted = tuple(tensor.source for tensor in layer.inputs)
        if inputs != wanted:
            said = [f"{[name_of(nodes, source) for source in each]}" for each in (inputs, wanted)]
            raise Difference("wiring", f"{node.name} takes {said[0]}, drawn {said[1]}")
        if graph.weights(node) and sources[node.parameters_of] != layer.owner:
            owner = nodes[layer.owner].name
            text = f"{node.name} has the parameters of {node.parameters_of}, drawn {owner}"
            raise Difference("wiring", text)
        check_arguments(node, layer, symbols)
        check_windows(node, layer)


def name_of(nodes: Sequence[Node], source: Source) -> str:
    """What makes a tensor."""
    return source if isinstance(source, str) else nodes[source].name


def check_arguments(node: Node, layer: Layer, symbols: Mapping[str, int]) -> None:
    """The op has the values that it is given, and defaults for the others."""
    for parameter in fields(node.op):
        if parameter.name not in layer.given and parameter.default is MISSING:
            raise Difference("wiring", f"{node.name} has no {parameter.name}")
        wanted = plain(layer.given.get(parameter.name, parameter.default), symbols)
        found = plain(getattr(node.op, parameter.name), symbols)
        if found != wanted:
            text = f"{node.name} has {parameter.name}={found}, drawn {wanted}"
            raise Difference("wiring", text)


def plain(value: Any, symbols: Mapping[str, int]) -> Any:
    """A value in numbers, lists as tuples."""
    if isinstance(value, Dim):
        return evaluate(value, symbols)
    if isinstance(value, Symbolic):
        return value.value
    if isinstance(value, list | tuple):
        return tuple(plain(item, symbols) for item in value)
    return value


def check_windows(node: Node, layer: Layer) -> None:
    """The window of the layer, its padding in pixels, as the description of the language has it."""
    if layer.op not in WINDOWED:
        return
    given = layer.given
    spatial = tuple(map(value_of, layer.inputs[0][1:]))
    if layer.op == "deconv":
        wanted = transposed_windows(given, len(spatial))
    else:
        kernel = given["kernel"] if "kernel" in given else dimensions(given["kernel_values"])
        stride = given.get("stride", 1 if layer.op in ("conv", "filter") else None)
        pad, dilation = given.get("pad", 0), given.get("dilation", 1)
        wanted = windows_of(spatial, kernel, stride, pad, dilation, ceil=True)
    axes = node.op.axes(spatial, Facts())  # type: ignore[attr-defined]
    found = tuple(Window(a.kernel, a.stride, a.dilation, a.before, a.after) for a in axes)
    if found != wanted:
        raise Difference("wiring", f"{node.name} has the windows {found}, drawn {wanted}")
