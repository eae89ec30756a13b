"""The report's page: picture, table and text, each leading to the others; charts; what was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.graph import Input
from compiler.ops.base import show_count
from compiler.receptive_field import show_field
from grammar.diagnostics import printable, render
from netc.layer_table import bytes_text, count_text, shape_text
from netc.maps.page import STYLE
from netc.net import Net
from netc.plot import open_to
from netc.plot.page import Table, data_of, embedded, filled, script_data
from netc.plot.plan import plan_of
from netc.plot.svg import FOLDER as PLOT
from netc.plot.words import cut
from netc.report.charts import charts
from netc.report.figures import Figures, figures_of
from netc.report.source import places_of, source_html, sources_of
from netc.tables import figures as totals
from netc.usual_sizes import usual_sizes

if TYPE_CHECKING:
    from netc.report.samples import Ran
    from netc.top_classes import RankedClass
    from runtime.layer_times import LayerTimes

FOLDER = Path(__file__).parent
FILES = [
    *(PLOT / name for name in ("picture.css", "page.css")),
    STYLE,
    FOLDER / "report.css",
    *(PLOT / name for name in ("moving.js", "picture.js")),
    FOLDER / "report.js",
]


def page(net: Net, times: LayerTimes | None, pictures: Ran | None) -> str:
    """The page; every text of a definition in it is escaped."""
    graph, analysis = net.graph, net.analysis
    plan = plan_of(graph, analysis)
    name = cut(net.name)
    item_of = {
        item.box.name: index for index, item in enumerate(plan.items) if item.box.layer is not None
    }
    sources = sources_of(plan.items)
    number = {id(source): index for index, source in enumerate(sources)}
    places = [places_of(item, number) for item in plan.items]
    sizes = usual_sizes(graph)
    figures = figures_of(graph, analysis, sizes, times) if sizes is not None else []
    items = [item_of[layer.node.name] for layer in analysis.layers]
    table = Table()
    data = data_of(graph, plan, open_to(plan, None), name)
    data["places"] = [table(one) for one in places]
    data["lines"] = table.rows
    parts = embedded(FILES, f"{name}: report", "img-src data:; ") | {
        "name": escape(name),
        "doc": escape(printable(net.doc)),
        "totals": facts(totals(graph, analysis)),
        "data": script_data(data),
        "table": table_html(net, items, figures, times is not None),
        "source": "\n".join(source_html(sources, places)),
        "charts": charts_html(figures, items, sizes),
        "more": "\n".join([*valid_sizes(net), *warnings(net), *bench(times), *samples(pictures)]),
    }
    return filled((FOLDER / "report.html").read_text(encoding="utf-8"), parts)


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names with their values."""
    return "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(printable(text))}</dd></div>"
        for what, text in rows
    )


COLUMNS = ("layer", "op", "line", "output", "params", "MACs", "memory", "field")


def table_html(net: Net, items: Sequence[int], figures: Sequence[Figures], timed: bool) -> str:
    """The table of layers, each cell with the number that it is sorted by."""
    columns = (*COLUMNS, "time") if timed else COLUMNS
    head = "".join(
        f'<th scope="col" aria-sort="none"{"" if at in (0, 1, 3) else RIGHT}>'
        f'<button type="button">{escape(title)}</button></th>'
        for at, title in enumerate(columns)
    )
    rows = "".join(
        row_html(net, index, items[index], figures[index] if figures else None, timed)
        for index in range(len(items))
    )
    return f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"


RIGHT = ' class="r"'


def row_html(net: Net, index: int, item: int, figures: Figures | None, timed: bool) -> str:
    """A layer's row."""
    layer, facts = net.analysis.layers[index], net.graph.facts
    node = layer.node
    field = "" if isinstance(node.op, Input) else show_field(layer.field)
    cells: list[tuple[str, float | None]] = [
        (printable(node.op.name), None),
        (str(node.span.line), node.span.line),
        (shape_text(node.shape, facts), figures.memory if figures else None),
        (show_count(layer.parameters) if layer.parameters else "", layer.parameters),
        (count_text(layer.macs, facts), figures.macs if figures else 0),
        (bytes_text(figures.memory) if figures else "", figures.memory if figures else 0),
        (field, figures.field if figures else 0),
    ]
    if timed:
        seconds = figures.seconds if figures else None
        cells.append((f"{seconds * 1e3:.3f} ms" if seconds is not None else "", seconds or 0))
    made = "".join(
        f"<td{'' if at in (0, 2) else RIGHT}{value_of(text, value)}>{escape(text)}</td>"
        for at, (text, value) in enumerate(cells)
    )
    name = escape(printable(node.name))
    return (
        f'<tr data-item="{item}"><th scope="row" data-v="{index}">'
        f'<button type="button">{name}</button></th>{made}</tr>'
    )


def value_of(text: str, value: float | None) -> str:
    """The attribute with what a cell is sorted by, where its text is not the number itself."""
    if value is None or text == f"{value:,}" or (text == "" and not value):
        return ""
    return f' data-v="{value:.9g}"'


def charts_html(
    figures: Sequence[Figures], items: Sequence[int], sizes: Mapping[str, int] | None
) -> str:
    """The charts, and at which sizes they are drawn."""
    if not figures:
        return "<p>No sizes were found that are valid, so there are no numbers to draw.</p>"
    at = ", ".join(f"{name} = {value}" for name, value in (sizes or {}).items())
    remark = f"<p>At {escape(at)}, and so are memory and orders in the table.</p>" if at else ""
    return remark + f'<div class="charts">{charts(figures, items)}</div>'


def section(title: str, body: str) -> str:
    """A part of the page."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def valid_sizes(net: Net) -> Iterator[str]:
    """The input sizes for which every layer fits."""
    lines = net.graph.domain.lines() if net.graph.domain is not None else []
    inputs = facts(
        [(node.name, shape_text(node.shape, net.graph.facts)) for node in net.graph.inputs()]
    )
    rules = "".join(f"<li><code>{escape(line)}</code></li>" for line in lines)
    valid = f"<ul>{rules}</ul>" if rules else "<p>The sizes are fixed.</p>"
    yield section("Valid sizes", f'<dl class="facts">{inputs}</dl>{valid}')


def warnings(net: Net) -> Iterator[str]:
    """What the checks warn of."""
    if net.warnings:
        body = "".join(f"<pre>{escape(render(one))}</pre>" for one in net.warnings)
        yield section("Warnings", body)
    else:
        yield section("Warnings", "<p>None.</p>")


def bench(times: LayerTimes | None) -> Iterator[str]:
    """How the times were measured."""
    if times is None:
        return
    rows = [
        ("a sample", f"{times.whole * 1e3:.3f} ms"),
        ("in its layers", f"{sum(times.layers.values()) * 1e3:.3f} ms"),
        ("between layers", f"{times.beside * 1e3:.3f} ms"),
        ("on", times.machine),
    ]
    body = (
        f'<dl class="facts">{facts(rows)}</dl><p>Medians, float32, one sample at a time. Layers '
        "that ONNX Runtime runs as one are told of at the one with the most MACs. Each layer's "
        "time is that of its kernels, while measuring; the whole sample's was taken without.</p>"
    )
    yield section("Measured time", body)


def samples(pictures: Ran | None) -> Iterator[str]:
    """The classes of pictures, and their maps."""
    if pictures is None:
        return
    from netc.maps.page import remark, sections

    if not pictures.trained:
        yield section("Pictures", "<p>With initial weights, not trained ones.</p>")
    for name, classes in zip(pictures.pictures, pictures.classes, strict=True):
        for output, ranked in classes.items():
            head = "".join(f'<th scope="col">{word}</th>' for word in ("rank", "class", "value"))
            rows = "".join(map(ranked_row, ranked))
            title = f"{printable(name)}: {printable(output)}"
            table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
            yield section(title, f'<table class="plain">{table}</table>')
    maps = "\n".join(sections(pictures.maps))
    yield section("Maps", f'<p>{escape(remark(pictures.maps))}</p><div class="maps">{maps}</div>')


def ranked_row(ranked: RankedClass) -> str:
    """A class with its rank and its value."""
    name = escape(printable(ranked.label or f"class {ranked.index}"))
    return (
        f'<tr><td class="r">{ranked.rank}</td><td>{name}</td>'
        f'<td class="r">{ranked.value:.6f}</td></tr>'
    )
