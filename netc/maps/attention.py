"""What an output looks at: its receptive field, and how far it depends on each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.analysis import Analysis
from compiler.graph import Graph
from compiler.ops.activate import LogSoftmax, Softmax
from netc.gradient import gradient_of_output
from runtime.errors import CallError

Heat = NDArray[np.float64]  # [H, W], not negative


@dataclass(frozen=True)
class PixelBox:
    """Pixels of the picture, the last ones included; those outside it are padding."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Focus:
    """Which layers are looked into, "" for none: an output of scores, the last maps before it."""

    output: str = ""
    layer: str = ""
    at: tuple[int, int] = (0, 0)  # the row and column of the maps whose field is drawn


@dataclass(frozen=True)
class Score:
    """The number of a class before any softmax: a layer, the class, and its name."""

    layer: str
    chosen: int
    name: str


def field_of(analysis: Analysis, layer: str, at: tuple[int, int]) -> PixelBox | None:
    """The receptive field of an output (row, column) of a map; None where it has none."""
    field = analysis.field(layer)
    if field is None or len(field) != 2:
        return None
    (top, bottom), (left, right) = (axis.seen(place) for axis, place in zip(field, at, strict=True))
    if not (isinstance(bottom, int) and isinstance(right, int)):
        return None
    return PixelBox(top, left, bottom, right)


def effective_field(
    graph: Graph, feeds: dict[str, Any], layer: str, shape: tuple[int, ...], at: tuple[int, int]
) -> Heat:
    """|d(sum over the channels of one output)/d pixel|, the largest over the picture's channels.

    Luo et al., "Understanding the Effective Receptive Field in Deep Convolutional Neural
    Networks", 2016.
    """
    along = np.zeros(shape)
    along[(..., *at)] = 1
    found = gradient_of_output(graph, feeds, layer, along, False, 0)
    return pixelwise(found.inputs)


def focus_of(
    graph: Graph,
    sizes: dict[str, tuple[int, ...]],
    chosen: int | None,
    at: tuple[int, int] | None,
) -> Focus:
    """What is looked into: the first output of scores, the last maps before it, one place there.

    Raises `CallError` for a class or a place that is not there.
    """
    scores = ((output, name) for output, name in graph.outputs.items() if len(sizes[name]) == 1)
    output, name = next(((o, n) for o, n in scores if sizes[n][0] > 1), ("", ""))
    if chosen is not None and not name:
        raise CallError(f"no output of {graph.name} is a vector of scores: there is no class")
    if chosen is not None and not 0 <= chosen < sizes[name][0]:
        raise CallError(f"{output} has classes 0 to {sizes[name][0] - 1}, not {chosen}")
    layer = last_map(graph, name or next(iter(graph.outputs.values())), sizes)
    if layer is None:
        return Focus(name)
    height, width = sizes[layer][1:]
    at = at or (height // 2, width // 2)
    if not (0 <= at[0] < height and 0 <= at[1] < width):
        raise CallError(f"{layer} has {height}x{width} outputs: none at {at[0]},{at[1]}")
    return Focus(name, layer, at)


def last_map(graph: Graph, before: str, sizes: dict[str, tuple[int, ...]]) -> str | None:
    """The last layer before a score whose maps have more than one pixel: where Grad-CAM looks."""
    needed = {before}
    for node in reversed(list(graph.nodes())):
        if node.name not in needed:
            continue
        shape = sizes[node.name]
        if len(shape) == 3 and shape[1] * shape[2] > 1 and node.inputs:
            return node.name
        needed.update(node.inputs)
    return None


def score_of(graph: Graph, focus: Focus, scores: NDArray[Any], chosen: int | None) -> Score:
    """The class with the highest score, or the chosen one; a softmax at the end is left out."""
    layer = graph[focus.output]
    before = layer.inputs[0] if isinstance(layer.op, Softmax | LogSoftmax) else layer.name
    number = int(np.argmax(scores)) if chosen is None else chosen
    output = next(output for output, name in graph.outputs.items() if name == focus.output)
    labels = graph.labels.get(output, ())
    return Score(before, number, labels[number] if number < len(labels) else f"class {number}")


def saliency(
    graph: Graph, feeds: dict[str, Any], score: Score, classes: int, layer: str
) -> tuple[Heat, NDArray[Any] | None]:
    """The largest |d score/d pixel| over the channels (Simonyan et al. 2013), and d score/d layer.

    The second is what Grad-CAM weighs the layer's maps by (`cam_of`).
    """
    along = np.zeros((1, classes))
    along[0, score.chosen] = 1
    found = gradient_of_output(graph, feeds, score.layer, along, False, 0)
    by_layer = found.tensors.get(layer)
    return pixelwise(found.inputs), None if by_layer is None else by_layer[0]


def cam_of(maps: NDArray[Any], derivative: NDArray[Any]) -> Heat:
    """Grad-CAM: relu of the sum of maps [C, H, W], each times the mean of its derivative.

    Selvaraju et al., "Grad-CAM", 2017, equations 1 and 2.
    """
    weights = derivative.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum((weights * maps).sum(axis=0), 0), np.float64)


def pixelwise(inputs: Any) -> Heat:
    """The largest size of a derivative over the channels of the picture."""
    (array,) = inputs.values()
    return np.asarray(np.abs(array[0]).max(axis=0), np.float64)
