"""A network as a notebook shows it: totals, and the layers in a table that unfolds."""

from __future__ import annotations

from html import escape

from compiler.analysis import Analysis
from compiler.graph import Graph, Input
from compiler.ops.base import show_count, show_shape
from compiler.receptive_field import show_field
from netc.tables import totals

HEAD = ("layer", "op", "output", "params", "MACs", "receptive field")
LEFT = 3  # so many columns hold words
CELL = "padding:1px 10px 1px 0;text-align:"


def summary_html(graph: Graph, analysis: Analysis) -> str:
    """The summary in HTML; every name is escaped, for a definition may call a layer anything."""
    figures = "".join(f"{escape(line)}\n" for line in totals(graph, analysis))
    rows = "".join(row(cells) for cells in layer_rows(graph, analysis))
    head = row(HEAD, "th")
    return (
        f"<div><strong>{escape(graph.name)}</strong>"
        f'<pre style="margin:4px 0">{figures}</pre>'
        f"<details><summary>{len(analysis.layers):,} layers</summary>"
        f'<table style="border-collapse:collapse">{head}{rows}</table></details></div>'
    )


def layer_rows(graph: Graph, analysis: Analysis) -> list[tuple[str, ...]]:
    """The cells of each layer."""
    return [
        (
            layer.node.name,
            layer.node.op.name,
            show_shape(layer.node.shape),
            show_count(layer.parameters) if layer.parameters else "",
            show_count(layer.macs) if layer.macs != 0 else "",
            "" if isinstance(layer.node.op, Input) else show_field(layer.field),
        )
        for layer in analysis.layers
    ]


def row(cells: tuple[str, ...], tag: str = "td") -> str:
    """One row of the table, numbers to the right."""
    made = [
        f'<{tag} style="{CELL}{"left" if index < LEFT else "right"}">{escape(cell)}</{tag}>'
        for index, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(made)}</tr>"
