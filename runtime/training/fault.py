"""Where a loss became no number: the first layer whose output, or parameter, is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph, Input, Node
from runtime.reference import interpret


@dataclass(frozen=True)
class Fault:
    """The layer at fault, and what is wrong with it."""

    node: Node
    label: str
    text: str


def first_fault(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], arrays: Mapping[str, NDArray[Any]]
) -> Fault | None:
    """The first layer of a forward run that makes a number that is none, or holds one.

    `graph` is in training mode; NumPy runs it with the arrays before the step.
    """
    for node in graph.nodes():
        for weight in graph.weights(node):
            name = node.array(weight.name)
            if not np.isfinite(arrays[name]).all():
                return Fault(
                    node,
                    f"its {weight.name} is no number any more",
                    f"{name} was updated beyond the range of float32",
                )
    with np.errstate(all="ignore"):
        for node, value in interpret(graph.with_values(arrays), feeds):
            wrong = ~np.isfinite(value)
            if not wrong.any():
                continue
            if isinstance(node.op, Input):
                return Fault(node, "the data holds no numbers here", f"{node.name} is fed so")
            count = f"{int(wrong.sum()):,} of {value.size:,} numbers"
            largest = max(
                (float(np.abs(arrays[n]).max()) for n in own(graph, node, arrays)), default=0
            )
            held = f", its largest parameter is {largest:.3g}" if largest else ""
            return Fault(node, f"{node.name} makes it", f"{count} are NaN or infinite{held}")
    return None


def own(graph: Graph, node: Node, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names of a layer's arrays."""
    names = [node.array(weight.name) for weight in graph.weights(node)]
    return [name for name in names if name in arrays and arrays[name].size]
