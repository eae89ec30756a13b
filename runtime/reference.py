"""The interpreter: a checked graph run with NumPy, before any optimisation.

It shares nothing with the ONNX lowering but the graph, so agreement of the two tests both.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.dims import Dim, evaluate, symbol, symbols
from compiler.graph import Graph, Input, Node, at_layer
from compiler.ops.base import Op
from runtime.kernels import IN_PLACE, KERNELS, Array, Arrays, Inputs

BATCH = "number of samples"  # among the values of the symbols, none of which has a blank
# Numbers of the buffer to which NumPy copies what is stretched over rows that are shorter: as a
# rule 8,192, and with that one number for each channel costs twice what the product itself does.
BUFFER = 768


def interpret(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    dtype: DTypeLike = np.float32,
    kept: Collection[str] | None = None,
) -> Iterator[tuple[Node, Array]]:
    """Every layer with its tensor, in topological order; a tensor is let go after its last use.

    `feeds` are the inputs by name, batch first; all arithmetic is in `dtype`. A caller who holds
    the tensors of no other layers than those that are `kept` lets the others be written over.
    """
    nodes = tuple(graph.nodes())
    sizes = symbol_values(nodes, feeds)
    uses = Counter(source for node in nodes for source in node.inputs)
    live: dict[str, Array] = {}
    spare: set[str] = set()  # tensors that nobody holds, in memory that is theirs alone
    for node in nodes:
        if isinstance(node.op, Input):
            value: Array = np.asarray(feeds[node.name], dtype=dtype)
        else:
            inputs = tuple(live[name] for name in node.inputs)
            free = {name for name in node.inputs if uses[name] == 1} & spare
            over = not free.isdisjoint(node.inputs[:1])
            value = compute(graph, node, inputs, sizes, dtype, over=over)
            if kept is not None:
                shared = shared_with(value, node.inputs, inputs)
                spare -= shared
                if shared <= free and node.name not in kept and is_own(graph, node, value):
                    spare.add(node.name)
            del inputs
        for source in node.inputs:
            uses[source] -= 1
            if not uses[source]:
                live.pop(source, None)
        if uses[node.name]:
            live[node.name] = value
        yield node, value


def shared_with(value: Array, names: Iterable[str], tensors: Iterable[Array]) -> set[str]:
    """The names of the tensors whose memory a value also uses, or might."""
    return {n for n, x in zip(names, tensors, strict=True) if np.may_share_memory(value, x)}


def is_own(graph: Graph, node: Node, value: Array) -> bool:
    """Whether what a layer made of its inputs may be written to: it is no view of its weights."""
    weights = (graph.values[node.array(weight.name)] for weight in graph.weights(node))
    return value.flags.writeable and not any(np.may_share_memory(value, w) for w in weights)


def compute(
    graph: Graph,
    node: Node,
    inputs: Inputs,
    sizes: Mapping[str, int],
    dtype: DTypeLike,
    over: bool = False,
) -> Array:
    """The tensor of one layer from those that it takes, in their type, which is `dtype`.

    With `over` it may be written over the first of them.
    """
    with at_layer(node.name):
        op, arrays = with_sizes(node.op, sizes), arrays_of(graph, node, dtype)
        value = run_kernel(op, inputs, arrays, over=over)
        if inputs:
            return value
        return np.broadcast_to(value.astype(dtype), (sizes[BATCH], *value.shape[1:]))


def run_kernel(op: Op, inputs: Inputs, arrays: Arrays, *, over: bool = False) -> Array:
    """The output of one op, batch first; with `over` perhaps in the memory of the first input.

    As in IEEE 754, what is too large becomes infinite, and what has no value NaN, without a word.
    """
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)  # until the end of this context, as what is ignored
        kernel: Callable[..., Array] = KERNELS.functions[type(op)]
        if over and kernel in IN_PLACE:
            return kernel(op, inputs, arrays, inputs[0])
        return kernel(op, inputs, arrays)


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
        node.name: value
        for node, value in interpret(graph, feeds, dtype, kept=wanted)
        if node.name in wanted
    }
    return {output: found[name] for output, name in graph.outputs.items()}
