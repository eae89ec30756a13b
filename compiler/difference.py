"""Two networks compared layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Any

from compiler.analysis import Analysis, Layer
from compiler.graph import Graph, Input
from compiler.ops.arguments import show
from compiler.ops.base import show_count, show_shape


@dataclass(frozen=True)
class Change:
    """One layer's fate: added (no `before`), removed (no `after`), or changed in `what`."""

    before: Layer | None
    after: Layer | None
    what: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def compare(before: Analysis, after: Analysis) -> list[Change]:
    """What became of each layer, in order; layers that are the same in every respect left out.

    Layers are matched by what they do, in order (so that a layer put in between does not make all
    later ones differ by their numbers), then among the rest by their op.
    """
    old, new = layers(before), layers(after)
    matcher = SequenceMatcher(None, [key(x) for x in old], [key(x) for x in new], autojunk=False)
    found: list[Change] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pairs: list[tuple[Layer | None, Layer | None]] = list(
                zip(old[i1:i2], new[j1:j2], strict=True)
            )
        else:
            pairs = paired(old[i1:i2], new[j1:j2])
        for one, other in pairs:
            what = differences(one, other) if one and other else ()
            if what or one is None or other is None:
                found.append(Change(one, other, what))
    return found


def layers(analysis: Analysis) -> list[Layer]:
    """The layers that may differ."""
    return [layer for layer in analysis.layers if not isinstance(layer.node.op, Input)]


def key(layer: Layer) -> tuple[Any, ...]:
    """What a layer does, whatever its name and the size of its input."""
    return (layer.node.op, layer.parameters)


def paired(old: list[Layer], new: list[Layer]) -> list[tuple[Layer | None, Layer | None]]:
    """Layers of the same op in order; those of the one side only with None."""
    matcher = SequenceMatcher(
        None, [x.node.op.name for x in old], [x.node.op.name for x in new], autojunk=False
    )
    pairs: list[tuple[Layer | None, Layer | None]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pairs += zip(old[i1:i2], new[j1:j2], strict=True)
        else:
            pairs += [(layer, None) for layer in old[i1:i2]]
            pairs += [(None, layer) for layer in new[j1:j2]]
    return pairs


def differences(old: Layer, new: Layer) -> tuple[str, ...]:
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
