"""Pictures of networks: an SVG file, or a page whose blocks open and close."""

from __future__ import annotations

from pathlib import Path

from compiler.analysis import Analysis
from compiler.graph import Graph
from netc.boxes import depth_of, shown
from netc.plot.packing import pack
from netc.plot.page import page
from netc.plot.plan import BoxTree, plan_of
from netc.plot.svg import svg
from netc.tables import totals
from runtime.errors import CallError
from runtime.files import write_whole

SUFFIXES = (".svg", ".html")
# The most boxes, and pixels across, of a picture that nobody asked a depth of.
MOST_SHOWN = 60
WIDEST = 1600


def plot(graph: Graph, analysis: Analysis, path: Path, depth: int | None = None) -> Path:
    """Draw a network into an .svg or .html file, written whole or not at all.

    `depth` is how many levels of blocks are open; by default as many as keep the picture readable.
    Raises `CallError` for another suffix.
    """
    suffix = check_suffix(path)
    plan = plan_of(graph, analysis)
    opened = open_to(plan, depth)
    if suffix == ".svg":
        text = svg(plan, opened)
    else:
        text = page(graph, plan, opened, totals(graph, analysis))
    write_whole(path, text.encode())
    return path


def drawn(graph: Graph, analysis: Analysis, depth: int | None = None) -> str:
    """The picture as SVG; `depth` as in `plot`."""
    plan = plan_of(graph, analysis)
    return svg(plan, open_to(plan, depth))


def check_suffix(path: Path) -> str:
    """The form that a file's name stands for; raises `CallError` when it is none."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CallError(f"a picture is written as {' or '.join(SUFFIXES)}, not as {path.name}")
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
