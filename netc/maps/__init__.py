"""`netc maps`: what every layer makes of a picture, and what the outputs look at.

The maps come from the NumPy interpreter, layer by layer; of each only its mosaic is kept. The
derivatives (saliency, Grad-CAM, effective receptive field) are those of `net.gradient`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from compiler.dims import Size
from compiler.graph import Graph, Input, Node
from compiler.initialise import initialise
from grammar.diagnostics import did_you_mean
from netc.gradient import feeds_of, shaped
from netc.maps.attention import (
    Focus,
    Heat,
    PixelBox,
    Score,
    cam_of,
    effective_field,
    field_of,
    focus_of,
    saliency,
    score_of,
)
from netc.maps.mosaic import Mosaic, kernels_of, mosaic_of, planes_of
from netc.net import Net
from runtime.errors import CallError
from runtime.pictures import PictureInput, cut
from runtime.reference import interpret

MOST_LAYERS = 60  # shown without being asked for by name


@dataclass(frozen=True)
class MapOptions:
    """What is shown: layers by pattern, how many maps of each, one output's field, a class."""

    layers: tuple[str, ...] = ()
    most: int = 64
    at: tuple[int, int] | None = None
    chosen: int | None = None
    gradients: bool = True
    seed: int = 0


@dataclass(frozen=True)
class LayerMaps:
    """A layer's maps of one picture."""

    name: str
    op: str
    line: int
    shape: tuple[int, ...]
    mosaic: Mosaic


@dataclass(frozen=True)
class Looked:
    """What an output of a map looks at: its receptive field, and how far at each pixel of it."""

    layer: str
    at: tuple[int, int]
    box: PixelBox | None
    heat: Heat | None


@dataclass
class Seen:
    """Everything that is shown of one picture."""

    name: str
    picture: Image.Image | None  # as the net gets it, before it is normalised
    layers: list[LayerMaps] = field(default_factory=list)
    score: Score | None = None
    saliency: Heat | None = None
    cam: tuple[str, Heat] | None = None
    looked: Looked | None = None


@dataclass(frozen=True)
class Maps:
    """What is shown of one or several pictures; the layers are the same for all."""

    net: str
    seen: tuple[Seen, ...]
    kernels: tuple[str, Image.Image] | None  # of the first layer, if it looks at a picture
    left_out: int  # layers that are not shown


def maps_of(net: Net, pictures: Sequence[Any], options: MapOptions) -> Maps:
    """What a net makes of pictures, each whatever `net.run` takes; raises `CallError`."""
    graph = initialise(net.graph, options.seed)
    wanted = chosen_layers(graph, options.layers)
    found: list[Seen] = []
    for picture in pictures:
        order = {layer.name: layer.mosaic for layer in found[0].layers} if found else {}
        found.append(seen(net, graph, picture, wanted, order, options))
    shown = sum(not isinstance(node.op, Input) for node in graph.nodes())
    return Maps(net.name, tuple(found), first_kernels(graph), shown - len(wanted))


def chosen_layers(graph: Graph, patterns: Sequence[str]) -> set[str]:
    """The layers that the patterns name; without one all, or what leaves blocks, as many as fit."""
    layers = [node for node in graph.nodes() if not isinstance(node.op, Input)]
    if not patterns:
        if len(layers) <= MOST_LAYERS:
            return {node.name for node in layers}
        deepest = max(len(node.call_stack) for node in layers)
        ends = [list(ends_of_blocks(layers, depth)) for depth in range(deepest + 1)]
        return set(next((one for one in reversed(ends) if len(one) <= MOST_LAYERS), ends[0]))
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {node.name for node in layers if fnmatchcase(node.name, pattern)}
        matching |= {n for label, n in graph.tensors.items() if fnmatchcase(label, pattern)}
        if not matching:
            hint = did_you_mean(pattern, [node.name for node in layers])
            more = f"; {hint}" if hint else ""
            raise CallError(f"{graph.name} has no layer {pattern}{more}")
        chosen |= matching
    return chosen


def ends_of_blocks(layers: Sequence[Node], depth: int) -> Iterator[str]:
    """The last of each run of layers in one block, `depth` levels of blocks being open."""
    for node, after in zip(layers, [*layers[1:], None], strict=True):
        alone = len(node.call_stack) <= depth
        if alone or after is None or node.call_stack[: depth + 1] != after.call_stack[: depth + 1]:
            yield node.name


def seen(
    net: Net,
    graph: Graph,
    given: Any,
    wanted: set[str],
    order: dict[str, Mosaic],
    options: MapOptions,
) -> Seen:
    """One picture through the net; maps of layers in `order` come in the order they have there."""
    feeds = feeds_of(graph, given)
    if len(next(iter(feeds.values()))) != 1:
        raise CallError("maps are drawn of one picture at a time: give them one by one")
    found = Seen(name_of(given), shown_picture(graph, given))
    sizes = {node.name: shaped(node, graph, feeds)[1:] for node in graph.nodes()}
    focus = focus_of(graph, sizes, options.chosen, options.at) if found.picture else Focus()
    kept: dict[str, NDArray[Any]] = {}
    for node, tensor in interpret(graph, feeds):
        if node.name in (focus.output, focus.layer):
            kept[node.name] = tensor[0]
        if node.name in wanted and tensor.ndim <= 5:
            same = order.get(node.name)
            places = None if same is None else [tile.channel for tile in same.tiles]
            mosaic = mosaic_of(planes_of(tensor[0]), options.most, places)
            shape, line = sizes[node.name], node.span.line
            found.layers.append(LayerMaps(node.name, node.op.name, line, shape, mosaic))
    if focus.output:
        found.score = score_of(graph, focus, kept[focus.output], options.chosen)
    if found.score is not None and options.gradients:
        classes = len(kept[focus.output])
        found.saliency, derivative = saliency(graph, feeds, found.score, classes, focus.layer)
        if derivative is not None:
            found.cam = (focus.layer, cam_of(kept[focus.layer], derivative))
    if focus.layer:
        shape, heat = (1, *sizes[focus.layer]), None
        if options.gradients:
            heat = effective_field(graph, feeds, focus.layer, shape, focus.at)
        box = field_of(net.analysis, focus.layer, focus.at)
        found.looked = Looked(focus.layer, focus.at, box, heat)
    return found


def shown_picture(graph: Graph, given: Any) -> Image.Image | None:
    """The picture in the size that the net sees, or None for numbers that are no picture."""
    from runtime.decode import decode

    (node, *_) = graph.inputs()
    assert isinstance(node.op, Input)
    if not isinstance(given, Path | Image.Image) and not is_picture(given, node.shape):
        return None
    wanted = PictureInput(
        tuple(s if isinstance(s, int) else str(s) for s in node.shape), node.op.picture
    )
    image = decode(given, wanted.channels, grey=wanted.clause.grey)
    return cut(image, name_of(given), wanted, "none")[0]


def is_picture(given: Any, shape: tuple[Size, ...]) -> bool:
    """Whether pixels [H, W] or [H, W, 3] of uint8 are given, and not a sample of the input."""
    if not isinstance(given, np.ndarray) or given.dtype != np.uint8 or given.ndim not in (2, 3):
        return False
    return given.ndim != len(shape) or given.shape[0] != shape[0]


def name_of(given: Any) -> str:
    """What a picture is called: its file, if it has one."""
    return given.name if isinstance(given, Path) else "picture"


def first_kernels(graph: Graph) -> tuple[str, Image.Image] | None:
    """The kernels of the first layer that has some, if they are pictures themselves."""
    for node in graph.nodes():
        weight = graph.values.get(node.array("weight"))
        if weight is not None:
            seen_as_pictures = weight.ndim == 4 and weight.shape[1] in (1, 3)
            tall = seen_as_pictures and max(weight.shape[2:]) > 1
            return (node.name, kernels_of(weight)) if tall else None
    return None
