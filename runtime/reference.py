"""The interpreter: a checked graph run with NumPy, before any optimisation.

It shares nothing with the ONNX lowering but the graph, so agreement of the two tests both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.graph import Graph, Input, Node
from runtime.kernels import Array, run_kernel


def interpret(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float32
) -> Iterator[tuple[Node, Array]]:
    """Every layer with its tensor, in topological order; a tensor is let go after its last use.

    `feeds` are the inputs by name, batch first; all arithmetic is in `dtype`.
    """
    uses = Counter(source for node in graph.nodes() for source in node.inputs)
    live: dict[str, Array] = {}
    for node in graph.nodes():
        if isinstance(node.op, Input):
            value: Array = np.asarray(feeds[node.name], dtype=dtype)
        else:
            arrays = {
                weight.name: graph.values[f"{node.parameters_of}.{weight.name}"].astype(dtype)
                for weight in graph.weights(node)
            }
            value = run_kernel(node.op, tuple(live[name] for name in node.inputs), arrays)
        yield node, value
        if uses[node.name]:
            live[node.name] = value
        for source in node.inputs:
            uses[source] -= 1
            if not uses[source]:
                live.pop(source, None)


def run_reference(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float32
) -> dict[str, Array]:
    """The outputs of a graph by name, batch first."""
    wanted = set(graph.outputs.values())
    found = {
        node.name: value for node, value in interpret(graph, feeds, dtype) if node.name in wanted
    }
    return {output: found[name] for output, name in graph.outputs.items()}
