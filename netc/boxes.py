"""A network as nested boxes: its layers in the blocks that their names tell of.

`layer2.0.conv1` lies in `layer2.0`, which lies in `layer2`: each part of a name is a level. A block
is a run of layers that follow one another in the definition. So it holds every path between two of
its layers, and boxes closed over their content never make a cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from compiler.analysis import Analysis, LayerCost
from compiler.dims import Size
from compiler.graph import Graph, Input
from grammar.diagnostics import CallStep

Kind: TypeAlias = Literal["input", "layer", "output", "block", "net"]


@dataclass(frozen=True, eq=False)
class Box:
    """One box: a layer with its measures, an output, or a block with what it holds.

    `name` is the full name, `label` what the levels around it leave of it. `tensor` is the layer
    that an output shows. `step` is the call that made a block, if one did.
    """

    kind: Kind
    name: str
    label: str
    layer: LayerCost | None = None
    tensor: str = ""
    step: CallStep | None = None
    children: tuple[Box, ...] = ()

    def layers(self) -> Iterator[LayerCost]:
        """The layers in it, at any depth, in order."""
        if self.layer is not None:
            yield self.layer
        for child in self.children:
            yield from child.layers()

    @property
    def parameters(self) -> int:
        """The learnable values in it."""
        return sum(layer.parameters for layer in self.layers())

    @property
    def macs(self) -> Size:
        """The multiply-accumulates in it, per sample."""
        return sum((layer.macs for layer in self.layers()), start=0)


def nest(graph: Graph, analysis: Analysis) -> Box:
    """The boxes of a network, its outputs last."""
    parts = [(tuple(layer.node.name.split(".")), layer) for layer in analysis.layers]
    outputs = tuple(
        Box("output", name, name, tensor=tensor) for name, tensor in graph.outputs.items()
    )
    return Box("net", graph.name, graph.name, children=(*boxes(parts, 0), *outputs))


def boxes(parts: Sequence[tuple[tuple[str, ...], LayerCost]], level: int) -> Iterator[Box]:
    """The boxes of consecutive layers, whose names agree in the first `level` parts."""

    def block(part: tuple[tuple[str, ...], LayerCost]) -> str | None:
        path, _ = part
        return path[level] if len(path) > level + 1 else None

    for label, run in groupby(parts, block):
        if label is not None:
            inside = list(run)
            path, first = inside[0]
            name = ".".join(path[: level + 1])
            step = next((step for step in first.node.call_stack if step.name == name), None)
            label = label_of(path[: level + 1])
            yield Box("block", name, label, step=step, children=tuple(boxes(inside, level + 1)))
            continue
        for path, layer in run:
            kind: Kind = "input" if isinstance(layer.node.op, Input) else "layer"
            yield Box(kind, layer.node.name, label_of(path), layer=layer)


def label_of(path: tuple[str, ...]) -> str:
    """The last part of a name; with the one before it when it is a mere number."""
    return ".".join(path[-2:]) if path[-1].isdigit() else path[-1]


def depth_of(box: Box) -> int:
    """How many levels of blocks a box has inside."""
    return max((depth_of(c) + 1 for c in box.children if c.kind == "block"), default=0)


def shown(box: Box, depth: int) -> int:
    """How many boxes are drawn inside when so many levels of blocks are open."""
    return sum(
        shown(child, depth - 1) if child.kind == "block" and depth else 1 for child in box.children
    )
