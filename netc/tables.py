"""The terminal's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from compiler.analysis import Analysis
from compiler.graph import Graph
from compiler.ops.base import show_count, show_shape
from grammar.diagnostics import printable
from netc.boxes import depth_of, nest
from netc.layer_table import Look, bytes_text, count_text, lines_of, shape_text
from netc.tabular import TableColumn, hanging, print_table
from runtime.weights.wanted import WantedArray

LEAD = 13  # characters before the figures below a table


def totals(graph: Graph, analysis: Analysis) -> list[str]:
    """The lines below the table."""
    return [f"{what:{LEAD}}{text}" for what, text in figures(graph, analysis)]


def figures(graph: Graph, analysis: Analysis) -> list[tuple[str, str]]:
    """What is counted, and how much of it there is."""
    parameters = show_count(analysis.parameters)
    if analysis.trainable != analysis.parameters:
        parameters += f" ({show_count(analysis.trainable)} trainable)"
    lines = [("parameters", parameters)]
    if analysis.buffers:
        lines.append(("buffers", f"{show_count(analysis.buffers)} (running statistics)"))
    lines.append(("MACs", f"{count_text(analysis.macs, graph.facts) or 0} per sample"))
    lines.append(("depth", f"{analysis.depth} layers with weights"))
    if analysis.peak is not None:
        peak = f"{bytes_text(analysis.peak)} of float32 activations at the peak, per sample"
        lines.append(("memory", peak))
    for name, node in graph.outputs.items():
        lines.append(("output", f"{name} {shape_text(graph[node].shape, graph.facts)}"))
    if graph.domain is not None and graph.domain.lines():
        lines.append(("valid for", ", ".join(graph.domain.lines())))
    return lines


def print_summary(
    graph: Graph, analysis: Analysis, look: Look, paper: tuple[Console, int | None]
) -> None:
    """The whole summary, as wide as the `page` it is printed on."""
    console, width = paper
    lines, depth = lines_of(graph, analysis, look, width)
    above = [Text(graph.name, style="italic")]
    levels = depth_of(nest(graph, analysis))
    remark = (
        f"blocks are open to depth {depth} of {levels}; --depth {levels} shows "
        f"all {len(graph):,} layers"
    )
    below = [Text(remark, style="dim")] if depth < levels else []
    below.append(Text())
    for what, text in figures(graph, analysis):
        below += hanging(((f"{what:{LEAD}}", ""),), printable(text), width)
    # at once: a call has a price of its own
    console.print(*above, *lines, *below, sep="\n", soft_wrap=True)


def print_library(rows: list[tuple[str, str, str]]) -> None:
    """The library: net, file, what it is."""
    columns = (
        TableColumn("net"),
        TableColumn("file", gives_way=0),
        TableColumn("what it is", prose=True),
    )
    print_table(columns, [tuple(map(printable, row)) for row in rows])


def print_weights(net: str, arrays: list[WantedArray]) -> None:
    """The arrays that a network wants."""
    kind, op = TableColumn("kind", gives_way=1), TableColumn("op", gives_way=0)
    rows = [(a.name, show_shape(a.shape), a.kind, a.op) for a in arrays]
    print_table((TableColumn("name"), TableColumn("shape"), kind, op), rows, net)


def print_rows(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of text; a title that ends in a blank is a column of numbers, set to the right."""
    columns = [TableColumn(title.strip(), right=title.endswith(" ")) for title in titles]
    print_table(columns, [tuple(map(printable, row)) for row in rows])
