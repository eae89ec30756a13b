"""Receptive fields seen on the running net: which outputs change when a slice of the input does.

A slice is made NaN, which no arithmetic loses: neither a weight of 0 nor a maximum nor saturation
hides a dependence. Interpolation has weights that are always 0, where a place lies on a pixel:
there a slice gets other numbers, which tell what is not seen and not all that is. Every sample of
a batch has another slice, so one run covers an axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from compiler.analysis import Analysis, LayerCost
from compiler.dims import Dim, evaluate
from compiler.graph import Graph, Node, is_whole
from compiler.ops.base import Op
from compiler.receptive_field import FieldAxis
from runtime.reference import interpret
from tests.differential.difference import Difference
from tests.differential.figures import random_inputs

# Ops of which the analysis claims more than they look at, or that lose a NaN.
LOOSE_NAMES = """
reshape transpose flatten concat softmax log_softmax layernorm thresholded_relu power dense matmul
reduce_mean reduce_sum reduce_max reduce_min gather take
"""
LOOSE = frozenset(LOOSE_NAMES.split())
PARTED = frozenset(["adaptive_avgpool", "adaptive_maxpool"])  # of an open size it may see all
# Ops that shift a map: behind them what seems to lie inside the input may meet padding.
SHIFTING = frozenset(["crop", "slice", "split", "resize", "deconv"])
# Ops that take the channels apart: behind pixel_unshuffle each of them holds other pixels.
APART = frozenset(["channels", "slice", "split", "pixel_shuffle"])


def check_fields(graph: Graph, analysis: Analysis, sizes: Mapping[str, int]) -> None:
    """The field of every layer holds all that its outputs see, and inside no more than that."""
    plain = graph.rebuilt([replace(n, op=zero_padded(n.op)) for n in graph.nodes()])
    ranks = {len(node.shape) - 1 for node in graph.inputs()}
    for rank in sorted(ranks - {0}):
        for axis in range(rank):
            check_axis(plain, analysis, sizes, rank, axis)


def zero_padded(op: Op) -> Op:
    """The op with zeros around its input: a mirror shows pixels that no field speaks of."""
    names = {parameter.name for parameter in fields(op)}
    changes = {name: "zero" for name in ("pad_mode", "mode") if name in names}
    return replace(op, **changes) if changes and op.name not in ("upsample", "resize") else op


def check_axis(
    graph: Graph, analysis: Analysis, sizes: Mapping[str, int], rank: int, axis: int
) -> None:
    """All layers along one axis of all inputs of a rank: what is seen of any of them."""
    seen: dict[str, NDArray[np.bool_]] = {}
    length = max(evaluate(size, sizes) for node in graph.inputs() for size in node.shape)
    for source in graph.inputs():
        if is_whole(source):
            continue  # no slice of them can be NaN
        if len(source.shape) - 1 == rank:
            found = perturbed(graph, source, sizes, axis)
            length = min(length, evaluate(source.shape[axis + 1], sizes))
            for name, slices in found.items():
                seen[name] = joined(seen.get(name), slices)
    joins = exact_layers(graph)
    for layer in analysis.layers:
        if len(layer.field) == rank and layer.node.name in seen:
            exact = layer.node.name in joins
            check_layer(layer, layer.field[axis], seen[layer.node.name], length, exact)


def perturbed(
    graph: Graph, source: Node, sizes: Mapping[str, int], axis: int
) -> dict[str, NDArray[np.bool_]]:
    """For each layer whether [slice of the input, place along the axis] is seen."""
    length = evaluate(source.shape[axis + 1], sizes)
    feeds = random_inputs(graph, sizes, 0, length)
    plain = {name: array.copy() for name, array in feeds.items()}
    view = np.moveaxis(feeds[source.name], axis + 2, 1)
    mark = 1e3 if interpolates(graph) else np.nan
    for index in range(length):
        view[index, index] = mark
    found = {}
    with np.errstate(all="ignore"):
        runs = (interpret(graph, given, np.float64) for given in (feeds, plain))
        for (node, value), (_, before) in zip(*runs, strict=True):
            same = (value == before) | (np.isnan(value) & np.isnan(before))
            touched = np.isnan(value) if np.isnan(mark) else ~same
            found[node.name] = places(touched, len(source.shape), axis)
    return found


def interpolates(graph: Graph) -> bool:
    """Whether a layer weighs pixels by their distance."""
    return any(node.op.name == "resize" for node in graph.nodes())


def places(touched: NDArray[np.bool_], rank: int, axis: int) -> NDArray[np.bool_]:
    """What is touched by place along the axis; a tensor of another rank has one place."""
    if touched.ndim - 1 != rank:
        return np.asarray(touched.reshape(len(touched), -1).any(axis=1, keepdims=True))
    moved = np.moveaxis(touched, axis + 2, 1)
    return np.asarray(moved.reshape(*moved.shape[:2], -1).any(axis=2))


def joined(a: NDArray[np.bool_] | None, b: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is seen of one input or another, the shorter one as if it went on unseen."""
    if a is None:
        return b
    length = max(len(a), len(b))
    padded = [np.pad(x, ((0, length - len(x)), (0, 0))) for x in (a, b)]
    return np.asarray(padded[0] | padded[1])


def exact_layers(graph: Graph) -> set[str]:
    """The layers whose field says exactly what an output sees, where it meets no padding."""
    exact: set[str] = set()
    packed: set[str] = set()  # what lies behind a pixel_unshuffle
    for node in graph.nodes() if not interpolates(graph) else ():
        if node.op.name == "pixel_unshuffle" or not packed.isdisjoint(node.inputs):
            packed.add(node.name)
        one_shape = len({graph[name].shape for name in node.inputs}) <= 1
        behind = any(graph[name].op.name in SHIFTING for name in node.inputs)
        loose = node.op.name in LOOSE or (node.op.name in PARTED and is_open(graph, node))
        loose = loose or (node.op.name in APART and not packed.isdisjoint(node.inputs))
        if not loose and not behind and one_shape and exact.issuperset(node.inputs):
            exact.add(node.name)
    return exact


def is_open(graph: Graph, node: Node) -> bool:
    """Whether a layer takes a map of symbolic sizes."""
    return any(isinstance(size, Dim) for name in node.inputs for size in graph[name].shape)


def check_layer(
    layer: LayerCost, field: FieldAxis, seen: NDArray[np.bool_], length: int, exact: bool
) -> None:
    """The claims about one layer along one axis against what each of its places saw."""
    for place in range(seen.shape[1]):
        pixels = np.flatnonzero(seen[:, place])
        first, last = field.seen(place)
        assert isinstance(last, int) or not field.step
        size = field.size
        inside = isinstance(last, int) and first >= 0 and last < length
        if not pixels.size:
            continue
        low, high = int(pixels[0]), int(pixels[-1])
        where = f"{layer.node.name} ({layer.node.op.name}), place {place}"
        if low < first or (isinstance(last, int) and high > last):
            claim = f"{first} to {last}"
            raise Difference("field", f"{where} sees {low} to {high}, the field says {claim}")
        if isinstance(size, int) and high - low + 1 > size:
            raise Difference("field", f"{where} sees {low} to {high}, more than {size} pixels")
        if exact and inside and (low, high) != (first, last):
            claim = f"{first} to {last}"
            raise Difference("field", f"{where} sees only {low} to {high}, the field says {claim}")
