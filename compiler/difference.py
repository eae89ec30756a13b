"""Two networks compared layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from difflib import SequenceMatcher
from typing import Any

from compiler.analysis import Analysis, LayerCost
from compiler.graph import Graph, Input
from compiler.ops.arguments import show
from compiler.ops.base import show_count, show_shape
from grammar.records import dataclass


@dataclass(frozen=True)
class LayerChange:
    """One layer's fate: added (no `before`), removed (no `after`), or changed in `what`."""

    before: LayerCost | None
    after: LayerCost | None
    what: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def compare(before: Analysis, after: Analysis) -> list[LayerChange]:
    """What became of each layer, in order; layers that are the same in every respect left out.

    Layers that have the same name and do the same are matched first, in order; then, between
    those, layers by what they do (so that a layer put in between does not make all later ones
    differ by their numbers), and last by their op.
    """
    found: list[LayerChange] = []
    for one, other in paired(layers(before), layers(after), KEYS):
        what = differences(one, other) if one and other else ()
        if what or one is None or other is None:
            found.append(LayerChange(one, other, what))
    return found


def layers(analysis: Analysis) -> list[LayerCost]:
    """The layers that may differ."""
    return [layer for layer in analysis.layers if not isinstance(layer.node.op, Input)]


def key(layer: LayerCost) -> tuple[Any, ...]:
    """What a layer does, whatever its name and the size of its input."""
    return (layer.node.op, layer.parameters)


# By what layers are matched, one after the other; what one leaves over the next one pairs.
KEYS: tuple[Callable[[LayerCost], tuple[Any, ...]], ...] = (
    lambda layer: (layer.node.name, *key(layer)),
    key,
    lambda layer: (layer.node.name, layer.node.op.name),
    lambda layer: (layer.node.op.name,),
)


def paired(
    old: list[LayerCost],
    new: list[LayerCost],
    keys: Sequence[Callable[[LayerCost], tuple[Any, ...]]],
) -> list[tuple[LayerCost | None, LayerCost | None]]:
    """Layers of the same key in order; those of one side only, by all keys, with None."""
    if not keys or not old or not new:
        return [*((layer, None) for layer in old), *((None, layer) for layer in new)]
    first, rest = keys[0], keys[1:]
    matcher = SequenceMatcher(None, [*map(first, old)], [*map(first, new)], autojunk=False)
    pairs: list[tuple[LayerCost | None, LayerCost | None]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pairs += zip(old[i1:i2], new[j1:j2], strict=True)
        else:
            pairs += paired(old[i1:i2], new[j1:j2], rest)
    return pairs


def differences(old: LayerCost, new: LayerCost) -> tuple[str, ...]:
    """In what two layers of the same op differ: arguments, shape, parameters, MACs."""
    found = []
    for field in fields(old.node.op):
        a, b = getattr(old.node.op, field.name), getattr(new.node.op, field.name)
        if a != b:
            found.append(f"{field.name} {show(a)} -> {show(b)}")
    if old.node.shape != new.node.shape:
        found.append(f"{show_shape(old.node.shape)} -> {show_shape(new.node.shape)}")
    if old.parameters != new.parameters:
        found.append(f"params {old.parameters:,} -> {new.parameters:,}")
    if old.macs != new.macs:
        found.append(f"MACs {show_count(old.macs)} -> {show_count(new.macs)}")
    return tuple(found)


def totals(
    graphs: tuple[Graph, Graph], analyses: tuple[Analysis, Analysis]
) -> list[tuple[str, Any, Any]]:
    """The whole networks' measures: (name, before, after), those of inputs and outputs too."""
    a, b = analyses
    rows: list[tuple[str, Any, Any]] = [
        ("layers", len(layers(a)), len(layers(b))),
        ("params", a.parameters, b.parameters),
        ("macs", a.macs, b.macs),
        ("depth", a.depth, b.depth),
        ("memory", a.peak, b.peak),
    ]
    one, other = ends(graphs[0]), ends(graphs[1])
    rows += [(name, one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])]
    return rows


def ends(graph: Graph) -> dict[str, str]:
    """The shapes of inputs and outputs by name."""
    found = {f"input {node.name}": show_shape(node.shape) for node in graph.inputs()}
    outputs = graph.outputs.items()
    return found | {f"output {name}": show_shape(graph[node].shape) for name, node in outputs}
