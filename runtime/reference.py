"""The interpreter: a checked graph run with NumPy, before any optimisation.

It shares nothing with the ONNX lowering but the graph, so agreement of the two tests both.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.dims import Dim, evaluate, symbol, symbols
from compiler.graph import Graph, Input, Node, at_layer
from compiler.ops.base import Op
from runtime.kernels import KERNELS, Array, Arrays, Inputs

BATCH = "number of samples"  # among the values of the symbols, none of which has a blank
# Numbers of the buffer to which NumPy copies what is stretched over rows that are shorter: as a
# rule 8,192, and with that one number for each channel costs twice what the product itself does.
BUFFER = 768


def interpret(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float32
) -> Iterator[tuple[Node, Array]]:
    """Every layer with its tensor, in topological order; a tensor is let go after its last use.

    `feeds` are the inputs by name, batch first; all arithmetic is in `dtype`.
    """
    nodes = tuple(graph.nodes())
    sizes = symbol_values(nodes, feeds)
    uses = Counter(source for node in nodes for source in node.inputs)
    live: dict[str, Array] = {}
    for node in nodes:
        if isinstance(node.op, Input):
            value: Array = np.asarray(feeds[node.name], dtype=dtype)
        else:
            value = compute(graph, node, tuple(live[i] for i in node.inputs), sizes, dtype)
        for source in node.inputs:
            uses[source] -= 1
            if not uses[source]:
                live.pop(source, None)
        if uses[node.name]:
            live[node.name] = value
        yield node, value


def compute(
    graph: Graph,
    node: Node,
    inputs: Inputs,
    sizes: Mapping[str, int],
    dtype: DTypeLike,
) -> Array:
    """The tensor of one layer from those that it takes, in their type, which is `dtype`."""
    with at_layer(node.name):
        value = run_kernel(with_sizes(node.op, sizes), inputs, arrays_of(graph, node, dtype))
        if inputs:
            return value
        return np.broadcast_to(value.astype(dtype), (sizes[BATCH], *value.shape[1:]))


def run_kernel(op: Op, inputs: Inputs, arrays: Arrays) -> Array:
    """The output of one op, batch first.

    As in IEEE 754, what is too large becomes infinite, and what has no value NaN, without a word.
    """
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)  # until the end of this context, as what is ignored
        return KERNELS.functions[type(op)](op, inputs, arrays)


def arrays_of(graph: Graph, node: Node, dtype: DTypeLike) -> dict[str, Array]:
    """The arrays of one layer by name, in this type."""
    return {
        weight.name: graph.values[node.array(weight.name)].astype(dtype, copy=False)
        for weight in graph.weights(node)
    }


def symbol_values(nodes: Iterable[Node], feeds: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """The value of every symbol, read off the inputs' shapes, and the number of samples."""
    fed = [node for node in nodes if isinstance(node.op, Input)]
    return {BATCH: len(feeds[fed[0].name])} | {
        name: extent
        for node in fed
        for size, extent in zip(node.shape, feeds[node.name].shape[1:], strict=True)
        if isinstance(size, Dim)
        for name in symbols(size)
        if size == symbol(name)
    }


def with_sizes(op: Op, sizes: Mapping[str, int]) -> Op:
    """The op with its symbolic arguments, such as those of `crop(in.h, in.w)`, as numbers."""
    if not sizes.keys() - {BATCH}:
        return op

    def number(value: Any) -> Any:
        if isinstance(value, tuple):
            items = tuple(map(number, value))
            same = all(map(operator.is_, items, value))
            return value if same else items
        return evaluate(value, sizes) if isinstance(value, Dim) else value

    given = {field.name: getattr(op, field.name) for field in fields(op)}
    changes = {name: new for name, old in given.items() if (new := number(old)) is not old}
    return replace(op, **changes) if changes else op


def run_reference(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float32
) -> dict[str, Array]:
    """The outputs of a graph by name, batch first."""
    wanted = set(graph.outputs.values())
    found = {
        node.name: value for node, value in interpret(graph, feeds, dtype) if node.name in wanted
    }
    return {output: found[name] for output, name in graph.outputs.items()}
