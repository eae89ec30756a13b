"""Random numbers for what a network, a model or a training step takes: the one maker of them.

A stream depends on the seed and the input's name only, so a definition and the model that it is
compiled to are given the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.dims import evaluate
from compiler.graph import Graph, is_whole, limits_of
from compiler.initialise import generator

COMFORTABLE = 16  # a symbolic size in a random test is at least this
OPEN_SIZE = 64  # what is taken for a size that a model leaves open


def random_input(
    name: str,
    shape: Sequence[int],
    dtype: DTypeLike = np.float32,
    seed: int = 0,
    below: int | None = None,
) -> NDArray[Any]:
    """Standard normal numbers of a shape, batch included; whole ones lie from 0 to `below`.

    `below` is 256 for bytes, else 2: whole numbers are mostly indices, which must not leave a small
    table.
    """
    dtype, random = np.dtype(dtype), generator(seed, f"input {name}")
    if dtype.kind in "iub":
        most = below or (256 if dtype == np.uint8 else 2)
        return np.asarray(random.integers(most, size=tuple(shape))).astype(dtype)
    return np.asarray(random.standard_normal(tuple(shape), dtype=np.float32)).astype(dtype)


def random_feeds(
    graph: Graph, seed: int = 0, batch: int = 2, sizes: Mapping[str, int] | None = None
) -> dict[str, NDArray[Any]]:
    """Numbers for every input of a graph, symbols of these sizes or of ones that are valid."""
    sizes = sizes_for(graph) if sizes is None else sizes
    feeds, limits = {}, limits_of(graph)
    for node in graph.inputs():
        shape = [evaluate(size, sizes) for size in node.shape]
        dtype = np.int64 if is_whole(node) else np.float32
        limit = limits.get(node.name)
        feeds[node.name] = random_input(node.name, (batch, *shape), dtype, seed, limit)
    return feeds


def sizes_for(graph: Graph, least: int = COMFORTABLE) -> dict[str, int]:
    """Valid values for the symbols, large enough and different from each other where they may be.

    Where no values from `least` on are found, the smallest ones do.
    """
    if graph.domain is None:
        return {}
    sizes = graph.domain.smallest()
    taken: set[int] = set()
    for name in list(sizes):
        start = max(sizes[name], least)
        for value in range(start, start + 4096):
            trial = sizes | {name: value}
            if value not in taken and not graph.domain.contains(trial):
                sizes = trial
                break
        taken.add(sizes[name])
    return sizes
