"""The numbers of a report: one row a layer, symbolic sizes taken as numbers that are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from compiler.analysis import Analysis, LayerCost
from compiler.dims import Dim, Size, evaluate
from compiler.graph import Graph, Input
from netc.layer_table import BYTES
from runtime.layer_times import LayerTimes


@dataclass(frozen=True)
class Figures:
    """A layer's amounts: seconds are None where nothing was measured of it."""

    layer: LayerCost
    macs: int
    memory: int
    field: int
    seconds: float | None


def figures_of(
    graph: Graph, analysis: Analysis, sizes: Mapping[str, int], times: LayerTimes | None
) -> list[Figures]:
    """The amounts of every layer at these sizes."""
    seconds = times_of(graph, analysis, times.layers) if times is not None else {}
    found = []
    for layer in analysis.layers:
        amount = evaluate(prod(layer.node.shape), sizes)
        seen = max((number(axis.size, sizes) for axis in layer.field), default=0)
        if isinstance(layer.node.op, Input):
            seen = 0
        macs = evaluate(layer.macs, sizes)
        found.append(Figures(layer, macs, amount * BYTES, seen, seconds.get(layer.node.name)))
    return found


def number(size: Size, sizes: Mapping[str, int]) -> int:
    """A size as a number."""
    return evaluate(size, sizes) if isinstance(size, Dim) else size


def times_of(graph: Graph, analysis: Analysis, timed: Mapping[str, float]) -> dict[str, float]:
    """Seconds by layer, those of several that run as one told of the one with the most MACs.

    ONNX Runtime calls `conv -> bn -> relu` by the last of them.
    """
    macs = {layer.node.name: layer.macs for layer in analysis.layers}
    found: dict[str, float] = {}
    for name, seconds in timed.items():
        node = graph.layers.get(name)
        while node is not None and macs[node.name] == 0:
            before = graph[node.inputs[0]] if len(node.inputs) == 1 else None
            node = before if before is not None and before.name not in timed else None
        owner = node.name if node is not None else name
        found[owner] = found.get(owner, 0.0) + seconds
    return found
