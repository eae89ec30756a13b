"""The tensors along the main way through a network, as figures of papers show them.

It is the longest way from an input to an output, counted in layers with weights. What leaves a
tensor's shape as it is and holds no weights (an activation, a norm, a residual sum) shows no tensor
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from compiler.analysis import Analysis
from compiler.dims import evaluate
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Op, is_join
from netc.plot.words import cut, show_dims

MOST = 36  # tensors that are drawn; where there are more, those of one shape are one


@dataclass(frozen=True)
class Volume:
    """A tensor of the main way: its sizes as numbers, its shape in words, and what made it.

    `merged` layers with weights are behind it, of which only the last is named.
    """

    node: Node
    channels: int
    sides: tuple[int, ...]
    words: str
    made_by: str
    merged: int = 1

    @property
    def side(self) -> int:
        """The longest spatial side; 1 of a vector."""
        return max(self.sides, default=1)


@dataclass(frozen=True)
class LayerChain:
    """The volumes in order, and the pairs of them that a skip joins (from, to)."""

    volumes: tuple[Volume, ...]
    skips: tuple[tuple[int, int], ...]


def chain_of(graph: Graph, analysis: Analysis, sizes: dict[str, int]) -> LayerChain:
    """The main way of a net, symbolic sizes taken as these numbers."""
    trunk = main_way(graph)
    macs = {layer.node.name: layer.macs for layer in analysis.layers}
    volumes: list[Volume] = []
    volume_of: dict[str, int] = {}
    for node in trunk:
        before = volumes[-1] if volumes else None
        same = before is not None and before.node.shape == node.shape
        if not (same and macs[node.name] == 0):
            volumes.append(volume(graph, node, sizes))
        volume_of[node.name] = len(volumes) - 1
    skips = skips_of(graph, trunk, volume_of)
    if len(volumes) > MOST:
        return joined(volumes, skips)
    return LayerChain(tuple(volumes), tuple(skips))


def main_way(graph: Graph) -> list[Node]:
    """The nodes of the longest way, the first of equal ones."""
    reach: dict[str, tuple[int, int]] = {}
    before: dict[str, str] = {}
    for node in graph.nodes():
        for name in node.inputs:
            if node.name not in before or reach[name] > reach[before[node.name]]:
                before[node.name] = name
        weights, count = reach[before[node.name]] if node.inputs else (0, 0)
        reach[node.name] = (weights + node.op.holds_weights, count + 1)
    found = [graph[max(graph.outputs.values(), key=lambda output: reach[output])]]
    while found[-1].name in before:
        found.append(graph[before[found[-1].name]])
    return found[::-1]


def volume(graph: Graph, node: Node, sizes: dict[str, int]) -> Volume:
    """A node's tensor."""
    first, *sides = (evaluate(size, sizes) for size in node.shape or (1,))
    words = show_dims(node.shape, graph.facts)
    made = node.name if isinstance(node.op, Input) else summary_of(node.op)
    return Volume(node, first, tuple(sides), words, cut(made, 24))


def summary_of(op: Op) -> str:
    """An op in a word or two: `conv 11x11, /4`."""
    kernel, stride = getattr(op, "kernel", None), getattr(op, "stride", None)
    text = op.name if kernel is None else f"{op.name} {kernel}"
    plain = stride is None or str(stride) in ("1", str(kernel))
    return text if plain else f"{text}, /{stride}"


def skips_of(graph: Graph, trunk: list[Node], volume_of: dict[str, int]) -> list[tuple[int, int]]:
    """The pairs of volumes that are joined beside the main way, by a tensor or a side branch."""
    found: dict[tuple[int, int], None] = {}
    position = {node.name: at for at, node in enumerate(trunk)}
    for at, node in enumerate(trunk):
        if not is_join(node.op) or at == 0:
            continue
        for name in node.inputs:
            if name == trunk[at - 1].name:
                continue
            source = ancestor(graph, name, position)
            if source is not None and source < at - 1:
                pair = (volume_of[trunk[source].name], volume_of[node.name])
                if pair[0] < pair[1]:
                    found[pair] = None
    return list(found)


def ancestor(graph: Graph, name: str, position: dict[str, int]) -> int | None:
    """Where a side branch of single inputs leaves the main way."""
    while name not in position:
        inputs = graph[name].inputs
        if len(inputs) != 1:
            return None
        (name,) = inputs
    return position[name]


def joined(volumes: list[Volume], skips: list[tuple[int, int]]) -> LayerChain:
    """The chain with runs of volumes of one spatial size as one, named by the last of them."""
    found: list[Volume] = []
    place: list[int] = []
    for one in volumes:
        last = found[-1] if found else None
        inner = last is not None and len(found) > 1 and last.sides == one.sides and one.sides
        if last is not None and inner:
            found[-1] = Volume(
                one.node, one.channels, one.sides, one.words, one.made_by, last.merged + 1
            )
        else:
            found.append(one)
        place.append(len(found) - 1)
    pairs = dict.fromkeys((place[a], place[b]) for a, b in skips if place[a] < place[b])
    return LayerChain(tuple(found), tuple(pair for pair in pairs if pair[1] - pair[0] > 1))
