"""Reverse mode: the derivatives of an output's mean, or a sum of its numbers, through a graph.

The graph is run forward, every tensor kept, then its layers are walked from the last to the first:
each hands the derivative by its output on to its inputs and arrays (Rumelhart, Hinton and Williams
1986). What several layers use, a tensor or a shared parameter, sums what they hand it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.graph import Graph, Input
from runtime.gradients import run_gradient
from runtime.kernels import Array
from runtime.reference import arrays_of, interpret, symbol_values, with_sizes


@dataclass(frozen=True)
class Backward:
    """Every tensor of a run, and the derivatives of the objective by tensors and parameters.

    What the objective does not depend on has no entry.
    """

    objective: float
    tensors: Mapping[str, Array]
    by_tensor: Mapping[str, Array]
    by_parameter: Mapping[str, Array]


def backward(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    objective: str,
    dtype: DTypeLike = np.float64,
    weights: NDArray[Any] | None = None,
) -> Backward:
    """The derivatives of the mean of the output `objective` by everything before it.

    `feeds` are the inputs by name, batch first; the output holds one number a sample or several,
    whose mean counts, or their sum with these `weights`, which have the output's shape.
    """
    nodes = tuple(graph.nodes())
    sizes = symbol_values(nodes, feeds)
    tensors = {node.name: value for node, value in interpret(graph, feeds, dtype)}
    last = graph.outputs[objective]
    if weights is None:
        weights = np.full_like(tensors[last], 1 / tensors[last].size)
    by_tensor: dict[str, Array] = {last: np.asarray(weights, tensors[last].dtype)}
    by_parameter: dict[str, Array] = {}
    for node in reversed(nodes):
        if node.name not in by_tensor or isinstance(node.op, Input):
            continue
        inputs = tuple(tensors[name] for name in node.inputs)
        arrays = arrays_of(graph, node, tensors[node.name].dtype)
        op = with_sizes(node.op, sizes)
        found = run_gradient(op, inputs, arrays, tensors[node.name], by_tensor[node.name])
        for name, by_input in zip(node.inputs, found.inputs, strict=True):
            if by_input is not None:
                add(by_tensor, name, by_input)
        for array, by_array in found.arrays.items():
            add(by_parameter, node.array(array), by_array)
    value = float((tensors[last] * weights).sum())
    return Backward(value, tensors, by_tensor, by_parameter)


def add(sums: dict[str, Array], name: str, value: Array) -> None:
    """Add a summand to what is called `name`."""
    sums[name] = sums[name] + value if name in sums else value
