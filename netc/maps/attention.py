"""What an output looks at: its receptive field, and how far it depends on each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.analysis import Analysis
from compiler.graph import Graph, Node
from compiler.ops.activate import LogSoftmax, Softmax
from netc.gradient import gradient_of_output
from runtime.errors import CallError

Heat = NDArray[np.float64]  # [H, W], not negative


@dataclass(frozen=True)
class Box:
    """Pixels of the picture, the last ones included; those outside it are padding."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Score:
    """The number of a class before any softmax: a layer, the class, and its name."""

    layer: str
    chosen: int
    name: str


def field_of(analysis: Analysis, layer: str, at: tuple[int, int]) -> Box | None:
    """The receptive field of an output (row, column) of a map; None where it has none."""
    field = analysis.field(layer)
    if field is None or len(field) != 2:
        return None
    (top, bottom), (left, right) = (axis.seen(place) for axis, place in zip(field, at, strict=True))
    if not (isinstance(bottom, int) and isinstance(right, int)):
        return None
    return Box(top, left, bottom, right)


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


def score_of(graph: Graph, tensors: dict[str, NDArray[Any]], chosen: int | None) -> Score | None:
    """The class that the first output of scores tells, or the chosen one; None without one."""
    for output, name in graph.outputs.items():
        scores = tensors[name]
        if scores.ndim != 1 or len(scores) < 2:
            continue
        layer = graph[name]
        if isinstance(layer.op, Softmax | LogSoftmax):
            name = layer.inputs[0]
        if chosen is not None and not 0 <= chosen < len(scores):
            raise CallError(f"{output} has classes 0 to {len(scores) - 1}, not {chosen}")
        number = int(np.argmax(scores)) if chosen is None else chosen
        labels = graph.labels.get(output, ())
        return Score(name, number, labels[number] if number < len(labels) else f"class {number}")
    if chosen is not None:
        raise CallError(f"no output of {graph.name} is a vector of scores: there is no class")
    return None


def last_map(graph: Graph, before: str, sizes: dict[str, tuple[int, ...]]) -> Node | None:
    """The last layer before a score whose maps have more than one pixel: where Grad-CAM looks."""
    needed = {before}
    for node in reversed(list(graph.nodes())):
        if node.name not in needed:
            continue
        shape = sizes[node.name]
        if len(shape) == 3 and shape[1] * shape[2] > 1 and node.inputs:
            return node
        needed.update(node.inputs)
    return None


def saliency(
    graph: Graph, feeds: dict[str, Any], score: Score, classes: int, layer: Node | None
) -> tuple[Heat, NDArray[Any] | None]:
    """The largest |d score/d pixel| over the channels (Simonyan et al. 2013), and d score/d layer.

    The second is what Grad-CAM weighs the layer's maps by (`cam_of`).
    """
    along = np.zeros((1, classes))
    along[0, score.chosen] = 1
    found = gradient_of_output(graph, feeds, score.layer, along, False, 0)
    by_layer = None if layer is None else found.tensors.get(layer.name)
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
