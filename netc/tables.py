"""The terminal's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from compiler.analysis import Analysis
from compiler.dims import product
from compiler.graph import Graph, Input
from compiler.ops.base import show_count, show_shape
from compiler.receptive_field import show_field
from grammar.diagnostics import printable
from runtime.weights.wanted import Wanted


def bytes_text(value: int) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value = value / 1024  # type: ignore[assignment]
    return f"{value:,.1f} GiB"


def summary_table(graph: Graph, analysis: Analysis) -> Table:
    """A row for each layer."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=graph.name, title_justify="left")
    table.add_column("layer", no_wrap=True)
    table.add_column("op")
    table.add_column("output", no_wrap=True)
    for name in ("params", "MACs", "receptive field", "memory"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in analysis.layers:
        size = product(layer.node.shape)
        table.add_row(
            layer.node.name,
            layer.node.op.name,
            show_shape(layer.node.shape),
            show_count(layer.parameters) if layer.parameters else "",
            show_count(layer.macs) if layer.macs != 0 else "",
            "" if isinstance(layer.node.op, Input) else show_field(layer.field),
            bytes_text(size * 4) if isinstance(size, int) else "",
        )
    return table


def totals(graph: Graph, analysis: Analysis) -> list[str]:
    """The lines below the table."""
    lines = [f"parameters   {show_count(analysis.parameters)}"]
    if analysis.trainable != analysis.parameters:
        lines[0] += f" ({show_count(analysis.trainable)} trainable)"
    if analysis.buffers:
        lines.append(f"buffers      {show_count(analysis.buffers)} (running statistics)")
    lines.append(f"MACs         {show_count(analysis.macs)} per sample")
    lines.append(f"depth        {analysis.depth} layers with weights")
    if analysis.peak is not None:
        lines.append(
            f"memory       {bytes_text(analysis.peak)} of float32 activations at the peak, "
            "per sample"
        )
    for name, node in graph.outputs.items():
        lines.append(f"output       {name} {show_shape(graph[node].shape)}")
    if graph.domain is not None and graph.domain.lines():
        lines.append("valid for    " + ", ".join(graph.domain.lines()))
    return lines


def print_summary(graph: Graph, analysis: Analysis) -> None:
    """The whole summary, as wide as it needs to be when not on a terminal."""
    console = console_of(max(100, longest(graph) + 90))
    console.print(summary_table(graph, analysis))
    for line in totals(graph, analysis):
        console.print(line, soft_wrap=True)


def longest(graph: Graph) -> int:
    """The length of the longest layer name and shape together."""
    return max((len(n.name) + len(show_shape(n.shape)) for n in graph.nodes()), default=0)


def print_library(rows: list[tuple[str, str, str]]) -> None:
    """The library: net, file, what it is."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("net", no_wrap=True)
    table.add_column("file", no_wrap=True)
    table.add_column("what it is")
    for row in rows:
        table.add_row(*row)
    console_of(160).print(table)


def print_weights(net: str, arrays: list[Wanted]) -> None:
    """The arrays that a network wants."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=net, title_justify="left")
    table.add_column("name", no_wrap=True)
    table.add_column("shape", no_wrap=True)
    table.add_column("kind")
    table.add_column("op")
    for array in arrays:
        table.add_row(array.name, show_shape(array.shape), array.kind, array.op)
    console_of(160).print(table)


def print_rows(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of text; a title that ends in a blank is a column of numbers, set to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        right = title.endswith(" ")
        table.add_column(title.strip(), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row))
    console_of(200).print(table)


def console_of(width: int) -> Console:
    """The terminal, or a page of this many characters where the output goes elsewhere."""
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, width=width)
