"""What the page tells of a box when it is chosen."""

from __future__ import annotations

from compiler.analysis import LayerCost
from compiler.derivation import derive
from compiler.graph import Graph, Input
from compiler.ops.base import show_count, show_shape
from compiler.receptive_field import show_field
from grammar.diagnostics import printable
from grammar.source import Span
from netc.plot.plan import PlanItem
from netc.plot.words import call

Rows = list[tuple[str, str]]


def details_of(graph: Graph, item: PlanItem) -> tuple[Rows, list[str]]:
    """Facts with their names, and the lines that say how they came about."""
    box = item.box
    if box.kind == "output":
        return [("output", show_shape(graph[box.tensor].shape)), ("made by", box.tensor)], []
    if box.layer is None:
        return block_rows(item), []
    return layer_rows(graph, box.layer), [printable(line) for line in derive(graph, box.layer)]


def layer_rows(graph: Graph, layer: LayerCost) -> Rows:
    """A layer's op, shape, costs and place."""
    node = layer.node
    rows = [("op", "input" if isinstance(node.op, Input) else printable(call(node.op)))]
    if node.inputs:
        rows.append(("takes", ", ".join(map(printable, node.inputs))))
    rows.append(("output", show_shape(node.shape)))
    if layer.parameters:
        rows.append(("params", show_count(layer.parameters)))
    if node.parameters_of != node.name:
        rows.append(("params of", printable(node.parameters_of)))
    if layer.macs != 0:
        rows.append(("MACs", show_count(layer.macs)))
    if not isinstance(node.op, Input) and layer.field:
        rows.append(("receptive field", show_field(layer.field)))
    rows.append(("source", place(node.span)))
    if node.call_stack:
        rows.append(("called", printable(str(node.call_stack[-1]))))
    return rows


def block_rows(item: PlanItem) -> Rows:
    """A block's call, size and place."""
    box, rows = item.box, Rows()
    if box.step is not None:
        rows.append(("call", printable(box.step.call or box.step.block)))
    if item.leaving:
        rows.append(("output", " and ".join(item.leaving)))
    rows.append(("layers", f"{sum(1 for _ in box.layers()):,}"))
    rows.append(("params", show_count(box.parameters)))
    rows.append(("MACs", show_count(box.macs)))
    if box.step is not None:
        rows.append(("source", place(box.step.span)))
        if box.step.turns:
            rows.append(("turn", printable(", ".join(box.step.turns))))
    return rows


def place(span: Span) -> str:
    """A file and a line."""
    return f"{printable(span.source.name)}:{span.line}"
