"""What a notebook shows of a network: pictures, tables, pages inside a cell.

Everything that a definition calls its layers is escaped, for it may call them anything.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Generic, TypeVar, overload

from compiler.analysis import Analysis
from compiler.dims import Size
from compiler.graph import Graph, Input
from compiler.ops.base import Shape, show_count, show_shape
from compiler.receptive_field import Field, show_field
from netc.tables import totals
from netc.tabular import TableColumn, laid_out
from runtime.errors import CallError

CELL = "padding:1px 10px 1px 0;text-align:"
MOST_SHOWN = 200  # rows of a listing


@dataclass(frozen=True)
class Drawn:
    """A picture as SVG, which a notebook shows where it is the value of a cell."""

    name: str
    svg: str

    def __repr__(self) -> str:
        return f"<Picture of {self.name}>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        """As an image: styles inside of it do not reach the rest of the notebook."""
        data = b64encode(self.svg.encode()).decode()
        source = f"data:image/svg+xml;base64,{data}"
        return f'<img alt="{escape(self.name)}" style="max-width:100%" src="{source}"/>'


@dataclass(frozen=True)
class Shown:
    """A page of its own, which a notebook shows in a frame."""

    name: str
    page: str
    height: int = 640

    def __repr__(self) -> str:
        return f"<Page of {self.name}>"

    def _repr_html_(self) -> str:
        """In a frame that runs no script."""
        return (
            f'<iframe sandbox title="{escape(self.name)}" srcdoc="{escape(self.page)}" '
            f'style="width:100%;height:{self.height}px;border:1px solid #ccc"></iframe>'
        )


@dataclass(frozen=True)
class LayerRow:
    """A layer as `net.layers` has it; `field` is the receptive field, `()` for an input."""

    name: str
    op: str
    output: Shape
    params: int
    macs: Size
    field: Field
    line: int


@dataclass(frozen=True)
class ParameterRow:
    """A learnable array as `net.parameters` has it."""

    name: str
    shape: tuple[int, ...]
    count: int
    layer: str


Row = TypeVar("Row", bound=LayerRow | ParameterRow)


class Listing(Sequence[Row], Generic[Row]):
    """Rows by number and by name, shown as a table."""

    def __init__(self, what: str, titles: Sequence[str], rows: Sequence[Row]) -> None:
        self.what = what
        self.titles = tuple(titles)
        self.rows: tuple[Row, ...] = tuple(rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int | str) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Listing[Row]: ...
    def __getitem__(self, place: int | str | slice) -> Row | Listing[Row]:
        """A row by its number or name, or some of them; raises `CallError` for another name."""
        if isinstance(place, slice):
            return Listing(self.what, self.titles, self.rows[place])
        if isinstance(place, str):
            for row in self.rows:
                if row.name == place:
                    return row
            raise CallError(f"there is no {place} among the {self.what}")
        return self.rows[place]

    def __repr__(self) -> str:
        columns = [TableColumn(title, right=at >= 3) for at, title in enumerate(self.titles)]
        lines = [line.plain for line in laid_out(columns, list(self.cells()), None)]
        return "\n".join([*lines, *self.rest()])

    def _repr_html_(self) -> str:
        rest = "".join(f"<p>{line}</p>" for line in self.rest())
        return table_html(self.titles, list(self.cells())) + rest

    def cells(self) -> Iterator[tuple[str, ...]]:
        """The cells of the rows that are shown."""
        for row in self.rows[:MOST_SHOWN]:
            yield tuple(map(cell_text, vars(row).values()))

    def rest(self) -> list[str]:
        """What is said of those that are not."""
        left = len(self.rows) - MOST_SHOWN
        return [f"and {left:,} more {self.what}"] if left > 0 else []


def cell_text(value: object) -> str:
    """A value as a table shows it."""
    match value:
        case 0 | ():
            return ""
        case int():
            return show_count(value)
        case str():
            return value
        case tuple() if all(hasattr(axis, "stride") for axis in value):
            return show_field(value)
        case tuple():
            return show_shape(value)
    return str(value)


def layer_listing(analysis: Analysis) -> Listing[LayerRow]:
    """Every layer with its measures."""
    titles = ("layer", "op", "output", "params", "MACs", "receptive field", "line")
    rows = [
        LayerRow(
            layer.node.name,
            layer.node.op.name,
            layer.node.shape,
            layer.parameters,
            layer.macs,
            () if isinstance(layer.node.op, Input) else layer.field,
            layer.node.span.line,
        )
        for layer in analysis.layers
    ]
    return Listing("layers", titles, rows)


def parameter_listing(graph: Graph) -> Listing[ParameterRow]:
    """Every array that training would change or that the definition fixes; no statistics."""
    owners = graph.owners
    rows = [
        ParameterRow(name, weight.shape, weight.size, owners[name])
        for name, weight in graph.parameters().items()
        if not weight.buffer
    ]
    return Listing("parameters", ("parameter", "shape", "count", "layer"), rows)


def summary_html(graph: Graph, analysis: Analysis, picture: Drawn) -> str:
    """A network: its picture, totals, and the layers in a table that unfolds."""
    figures = "".join(f"{escape(line)}\n" for line in totals(graph, analysis))
    layers = layer_listing(analysis)
    table = table_html(layers.titles, [tuple(map(cell_text, vars(row).values())) for row in layers])
    return (
        f"<div><strong>{escape(graph.name)}</strong>"
        f'<pre style="margin:4px 0">{figures}</pre>'
        f"<details><summary>picture</summary>{picture._repr_html_()}</details>"
        f"<details><summary>{len(analysis.layers):,} layers</summary>{table}</details></div>"
    )


def table_html(titles: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """A table, numbers to the right."""
    made = "".join(html_row(row) for row in rows)
    return f'<table style="border-collapse:collapse">{html_row(titles, "th")}{made}</table>'


def html_row(cells: Sequence[str], tag: str = "td") -> str:
    """One row of the table."""
    made = [
        f'<{tag} style="{CELL}{"left" if index < 3 else "right"}">{escape(cell)}</{tag}>'
        for index, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(made)}</tr>"
