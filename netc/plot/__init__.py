"""Pictures of networks: the graph as SVG or as a page whose blocks open and close, and figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compiler.analysis import Analysis
from compiler.graph import Graph
from netc.boxes import depth_of, shown
from netc.plot.chain import chain_of
from netc.plot.connections import connections
from netc.plot.packing import pack
from netc.plot.page import page
from netc.plot.plan import BoxTree, plan_of, turned
from netc.plot.svg import svg
from netc.plot.volumes import u_figure, volumes
from netc.tables import totals
from netc.usual_sizes import usual_sizes
from runtime.errors import CallError
from runtime.files import write_whole

SUFFIXES = (".svg", ".html", ".png", ".pdf")
STYLES = ("flow", "volumes", "u", "connections")
# The most boxes, and pixels across, of a picture that nobody asked a depth of.
MOST_SHOWN = 60
WIDEST = 1600


@dataclass(frozen=True)
class PlotOptions:
    """How a network is drawn.

    `depth` is how many levels of blocks are open, by default as many as keep the picture readable;
    the flow goes down, or to the right where it is `horizontal`. Both are for the style "flow".
    """

    style: str = "flow"
    depth: int | None = None
    horizontal: bool = False


def plot(
    graph: Graph, analysis: Analysis, path: Path, options: PlotOptions = PlotOptions()
) -> Path:
    """Draw a network into a file, written whole or not at all.

    Raises `CallError` for another suffix, or a style that does not suit the network.
    """
    suffix = check(path, options)
    if suffix == ".html":
        plan = plan_of(graph, analysis)
        text = page(graph, plan, open_to(plan, options.depth), totals(graph, analysis))
    else:
        text = drawn(graph, analysis, options)
    if suffix in (".png", ".pdf"):
        from netc.plot.raster import converted

        write_whole(path, converted(text, suffix))
    else:
        write_whole(path, text.encode())
    return path


def drawn(graph: Graph, analysis: Analysis, options: PlotOptions = PlotOptions()) -> str:
    """The picture as SVG; raises `CallError`."""
    if options.style == "flow":
        plan = plan_of(graph, analysis)
        opened = open_to(plan, options.depth)
        return svg(turned(plan) if options.horizontal else plan, opened)
    if options.style == "connections":
        return connections(graph)
    sizes = usual_sizes(graph)
    if sizes is None:
        raise CallError(f"no sizes are known that are valid for {graph.name}: none to draw")
    chain = chain_of(graph, analysis, sizes)
    return volumes(chain, graph.name) if options.style == "volumes" else u_figure(chain, graph.name)


def check(path: Path, options: PlotOptions) -> str:
    """The form that a file's name stands for; raises `CallError` when options do not go with it."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        forms = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise CallError(f"a picture is written as {forms}, not as {path.name}")
    if options.style not in STYLES:
        raise CallError(f"there is no style {options.style}; it is one of {', '.join(STYLES)}")
    if options.style != "flow" and (options.depth is not None or options.horizontal):
        raise CallError("a depth and a direction are for the style flow")
    if suffix == ".html" and (options.style != "flow" or options.horizontal):
        raise CallError("a page shows the style flow, downwards; for others write an .svg")
    return suffix


def open_to(plan: BoxTree, depth: int | None) -> frozenset[int]:
    """The network and the blocks in so many levels of it; without a depth, in those that fit."""
    if depth is None:
        net = plan.items[0].box
        fitting = [d for d in range(depth_of(net) + 1) if shown(net, d) <= MOST_SHOWN]
        wanted = (open_to(plan, d) for d in reversed(fitting))
        return next((one for one in wanted if is_narrow(plan, one)), open_to(plan, 0))
    found, level = {0}, {0}
    for _ in range(depth):
        level = {child for index in level for child in plan.items[index].children}
        level = {index for index in level if plan.items[index].arrangement is not None}
        if not level:
            break
        found |= level
    return frozenset(found)


def is_narrow(plan: BoxTree, open_items: frozenset[int]) -> bool:
    """Whether a picture fits on a screen across."""
    net = pack(plan, open_items)
    return net.left + net.right <= WIDEST
