"""Fold runs of constant arithmetic into one layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compiler.graph import Graph, Input, Node
from compiler.ops.scale import Normalize, Scale, Shift


def affine(node: Node) -> tuple[list[float], list[float]] | None:
    """A layer as factor and offset for each channel, x * factor + offset, or None."""
    channels = node.shape[0]
    if isinstance(node.op, Input) or not isinstance(channels, int):
        return None

    def each(value: Any) -> list[float]:
        return list(value) if isinstance(value, tuple) else [value] * channels

    match node.op:
        case Scale(factor=factor):
            return each(factor), [0.0] * channels
        case Shift(offset=offset):
            return [1.0] * channels, each(offset)
        case Normalize(mean=mean, std=std):
            pairs = list(zip(each(mean), each(std), strict=True))
            return [1 / s for _, s in pairs], [-m / s for m, s in pairs]
    return None


def fold_constants(graph: Graph) -> Graph:
    """Merge a scale, shift or normalize into the one before it when nothing else uses that.

    Two in a row become one `normalize` (in double precision), so a run of any length becomes one
    layer. Requires nothing; guarantees that no two such layers follow one another privately.
    """
    users = graph.users()
    outputs = set(graph.outputs.values())
    current: dict[str, Node] = {}
    for node in graph.nodes():
        own = affine(node)
        source = current.get(node.inputs[0]) if node.inputs else None
        before = affine(source) if source is not None and own is not None else None
        if (
            own is not None
            and before is not None
            and source is not None
            and len(users[source.name]) == 1
            and source.name not in outputs
        ):
            factor = [a * b for a, b in zip(before[0], own[0], strict=True)]
            offset = [b * f + o for b, f, o in zip(before[1], own[0], own[1], strict=True)]
            if all(f > 0 for f in factor):
                std = tuple(1 / f for f in factor)
                mean = tuple(-o * d for o, d in zip(offset, std, strict=True))
                del current[source.name]
                node = replace(node, op=Normalize(mean, std), inputs=source.inputs)
        current[node.name] = node
    return graph.rebuilt(list(current.values()))
