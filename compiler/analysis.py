"""What a network costs and sees: parameters, MACs, receptive fields, depth, memory."""

from __future__ import annotations

import dataclasses
from math import prod

from compiler.dims import Dim, Size
from compiler.graph import Graph, Node
from compiler.receptive_field import Field, ReceptiveFields
from grammar.records import dataclass

BYTES = 4


@dataclass(frozen=True)
class LayerCost:
    """One line of the summary."""

    node: Node
    parameters: int
    macs: Size
    fields: ReceptiveFields = dataclasses.field(repr=False, compare=False)

    @property
    def field(self) -> Field:
        """The receptive field of its tensor."""
        return self.fields.by_layer[self.node.name]


@dataclass(frozen=True)
class Analysis:
    """The whole network: its layers in order, and totals.

    `parameters` are learnable values, shared ones once; `trainable` leaves out those whose values
    the definition fixes; `buffers` are running statistics. `peak` is the largest number of bytes
    of float32 activations alive at once, per sample (None when sizes are symbolic).
    """

    layers: tuple[LayerCost, ...]
    parameters: int
    trainable: int
    buffers: int
    macs: Size
    depth: int
    peak: int | None

    def field(self, name: str) -> Field | None:
        """The receptive field of a layer's tensor."""
        return next((layer.field for layer in self.layers if layer.node.name == name), None)


def analyse(graph: Graph) -> Analysis:
    """Measure a graph."""
    layers: list[LayerCost] = []
    fields = ReceptiveFields(graph)
    depth: dict[str, int] = {}
    macs: Size = 0
    totals = {"parameters": 0, "trainable": 0, "buffers": 0}
    seen: set[str] = set()
    for node in graph.nodes():
        owned = 0
        if node.parameters_of not in seen:
            for weight in graph.weights(node):
                seen.add(node.parameters_of)
                owned += 0 if weight.buffer else weight.size
                totals["buffers"] += weight.size if weight.buffer else 0
                fixed = weight.buffer or weight.values is not None
                totals["trainable"] += 0 if fixed else weight.size
        totals["parameters"] += owned
        cost = node.op.macs(graph.input_shapes(node), node.shape)
        macs = macs + cost
        depth[node.name] = max((depth[n] for n in node.inputs), default=0) + node.op.holds_weights
        layers.append(LayerCost(node, owned, cost, fields))
    return Analysis(
        tuple(layers),
        totals["parameters"],
        totals["trainable"],
        totals["buffers"],
        macs,
        max(depth.values(), default=0),
        peak_memory(graph),
    )


def peak_memory(graph: Graph) -> int | None:
    """The most bytes of activations alive at once, a tensor freed after its last use."""
    nodes = list(graph.nodes())
    last: dict[str, int] = {}
    for index, node in enumerate(nodes):
        last[node.name] = index
        for source in node.inputs:
            last[source] = index
    for name in graph.outputs.values():
        last[name] = len(nodes)
    ending: dict[int, list[str]] = {}
    for name, index in last.items():
        ending.setdefault(index, []).append(name)
    live = peak = 0
    bytes_of: dict[str, int] = {}
    for index, node in enumerate(nodes):
        size = prod(node.shape)
        if isinstance(size, Dim):
            return None
        bytes_of[node.name] = size * BYTES
        live += size * BYTES
        peak = max(peak, live)
        live -= sum(bytes_of[name] for name in ending.get(index, ()))
    return peak
