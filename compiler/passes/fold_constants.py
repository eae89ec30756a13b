"""Fold runs of constant arithmetic into one layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph, Node
from compiler.ops.scale import Normalize, Scale, Shift

Numbers = NDArray[np.float64]  # one for all channels, or one for each


def affine(node: Node) -> tuple[Numbers, Numbers] | None:
    """A layer as factor and offset, x * factor + offset, or None."""
    match node.op:
        case Scale(factor=factor):
            return numbers(factor), numbers(0)
        case Shift(offset=offset):
            return numbers(1), numbers(offset)
        case Normalize(mean=mean, std=std):
            return 1 / numbers(std), -numbers(mean) / numbers(std)
    return None


def numbers(value: Any) -> Numbers:
    """An argument of a layer as an array."""
    return np.asarray(value, dtype=np.float64)


def argument(array: Numbers) -> Any:
    """An array as the argument of a layer."""
    return tuple(array.tolist()) if array.ndim else float(array)


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
            factor, offset = before[0] * own[0], before[1] * own[0] + own[1]
            if (factor > 0).all():
                del current[source.name]
                std = 1 / factor
                normalize = Normalize(argument(-offset * std), argument(std))
                node = replace(node, op=normalize, inputs=source.inputs)
        current[node.name] = node
    return graph.rebuilt(list(current.values()))
