"""`netc diff`: two networks compared."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click

from compiler.analysis import LayerCost
from compiler.difference import LayerChange, compare, totals
from compiler.ops.base import show_count, show_shape
from netc.errors import say
from netc.models import is_model, read
from netc.net import Net
from netc.options import FORMAT, NetChoice, chooses_net, takes_shapes
from netc.summary import plain, plain_shape

MARKS = {"added": "+", "removed": "-", "changed": "~"}


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--to-net", metavar="NAME", help="Which net of the second file, if not --net.")
@FORMAT
@chooses_net
@takes_shapes
def command(before: str, after: str, to_net: str | None, form: str, choice: NetChoice) -> None:
    """What one network adds, removes and changes of another.

    BEFORE and AFTER are definitions, names of the library, or models: .onnx, .prototxt, .cfg.
    Layers of a model are called as in the definition that `netc import` makes of it.
    """
    other = replace(choice, net=to_net or choice.net)
    if is_model(before) != is_model(after):  # a shape is the model's, whichever of the two that is
        plain = replace(choice if is_model(after) else other, shapes={})
        choice, other = (plain, other) if is_model(after) else (choice, plain)
    if is_model(before) and is_model(after):
        other.refuse()
    old, new = side_of(before, choice), side_of(after, other)
    changes = compare(old.analysis, new.analysis)
    rows = totals((old.graph, new.graph), (old.analysis, new.analysis))
    if form == "json":
        report = {
            "totals": {name: [plain_value(a), plain_value(b)] for name, a, b in rows},
            "changes": [as_dict(change) for change in changes],
        }
        say(json.dumps(report, indent=2))
        return
    for change in changes:
        say(line_of(change))
    if changes:
        say()
    for name, a, b in rows:
        then = f"-> {show_count(b)}" if a != b else "(the same)"
        say(f"{name:<16} {show_count(a)} {then}")


def side_of(file: str, choice: NetChoice) -> Net:
    """The one net of a definition that is meant, or that of a model, whatever net is meant."""
    return read(file, **choice.shapes) if is_model(file) else choice.single(file)


def line_of(change: LayerChange) -> str:
    """One layer's change on one line."""
    layer = change.after or change.before
    assert layer is not None
    text = f"{MARKS[change.kind]} {layer.node.name} {layer.node.op.name}"
    if change.kind == "changed":
        assert change.before is not None
        if change.before.node.name != layer.node.name:
            text += f" (was {change.before.node.name})"
        return f"{text}: {', '.join(change.what)}"
    held = f", {layer.parameters:,} params" if layer.parameters else ""
    return f"{text} {show_shape(layer.node.shape)}{held}"


def as_dict(change: LayerChange) -> dict[str, Any]:
    """One layer's change as JSON has it."""
    return {
        "kind": change.kind,
        "before": side(change.before),
        "after": side(change.after),
        "what": list(change.what),
    }


def side(layer: LayerCost | None) -> dict[str, Any] | None:
    """A layer before or after."""
    if layer is None:
        return None
    return {
        "name": layer.node.name,
        "op": layer.node.op.name,
        "line": layer.node.span.line,
        "out": plain_shape(layer.node.shape),
        "params": layer.parameters,
        "macs": plain(layer.macs),
    }


def plain_value(value: Any) -> Any:
    """A measure as JSON has it: a number, or text."""
    return value if value is None or isinstance(value, int | str) else str(value)
