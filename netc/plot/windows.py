"""How a window slides: the padded input, every position of the window, what is left over.

The figure moves by itself: one step a position, by the animation of SVG (SMIL), with no script. Of
an axis too long to be drawn the middle is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compiler.analysis import LayerCost
from compiler.graph import Graph, Node
from compiler.ops.base import Axis
from netc.plot.faces import num
from netc.plot.sheet import Sheet
from netc.plot.words import call, cut
from runtime.errors import CallError

CELL = 16.0
MOST = 26  # cells along an axis that are drawn
GAP = 22.0  # where cells are left out
LARGEST = 32  # cells of a window
SECONDS = 0.7  # of a step


@dataclass(frozen=True)
class Strip:
    """One axis: its size, its window, how many outputs it has, and where its cells are drawn.

    Cells count from the first of the padding.
    """

    size: int
    axis: Axis
    outputs: int
    places: dict[int, float]

    @property
    def padded(self) -> int:
        """Cells with their padding."""
        return self.size + self.axis.before + self.axis.after + self.axis.overhang

    @property
    def length(self) -> float:
        """Pixels from the first cell to behind the last."""
        return max(self.places.values()) + CELL

    def kind(self, cell: int) -> str:
        """padding, left over, or a pixel."""
        reached = (self.outputs - 1) * self.axis.stride + self.axis.extent
        inside = self.axis.before <= cell < self.axis.before + self.size
        if cell >= reached:
            return "left-over"
        return "pixel" if inside else "padding"

    def shown(self) -> list[int]:
        """The positions all of whose cells are drawn side by side."""
        wide = (self.axis.extent - 1) * CELL
        ends = ((o, o * self.axis.stride) for o in range(self.outputs))
        return [
            o
            for o, first in ends
            if {first, first + self.axis.extent - 1} <= self.places.keys()
            and self.places[first + self.axis.extent - 1] - self.places[first] <= wide + 0.1
        ]


def strip(size: int, axis: Axis, outputs: int) -> Strip:
    """An axis with the places of its cells."""
    padded = size + axis.before + axis.after + axis.overhang
    half = max(MOST // 2, axis.extent + 2 * axis.stride)
    whole = padded <= 2 * half
    kept = range(padded) if whole else [*range(half), *range(padded - half, padded)]
    gap = 0.0 if whole else GAP
    places = {cell: at * CELL + (gap if at >= half else 0.0) for at, cell in enumerate(kept)}
    return Strip(size, axis, outputs, places)


def slides(graph: Graph, node: Node) -> bool:
    """Whether a layer slides a window over its input."""
    shapes = graph.input_shapes(node)
    return bool(shapes) and node.op.reach(shapes, node.shape, graph.facts).kind == "window"


def window_figure(graph: Graph, layer: LayerCost) -> str:
    """The figure of a layer that `slides`; raises `CallError` for what cannot be drawn."""
    node = layer.node
    (shape, *_) = graph.input_shapes(node)
    reach = node.op.reach(graph.input_shapes(node), node.shape, graph.facts)
    sides = [(s, a, o) for s, a, o in zip(shape[1:], reach.axes, node.shape[1:], strict=True)]
    if not all(isinstance(size, int) and isinstance(made, int) for size, _, made in sides):
        raise CallError(f"the sizes of {node.name} are symbolic: a window is drawn of numbers")
    strips = [strip(int(str(size)), axis, int(str(made))) for size, axis, made in sides[-2:]]
    if any(one.axis.extent > LARGEST for one in strips):
        raise CallError(f"a window of {LARGEST + 1} or more cells is too large to be drawn")
    if len(strips) == 1:
        strips = [strip(1, Axis(1), 1), *strips]
    down, across = strips
    sheet = Sheet()
    sheet.text(0, -34, cut(f"{node.name}: {call(node.op)}", 90), "small bold start")
    sheet.text(0, -20, formula(down if down.size > 1 else across), "small start")
    grid(sheet, down, across)
    right = across.length + 70
    results(sheet, right, down, across)
    moving(sheet, right, down, across)
    legend(sheet, down.length + 30, down, across)
    return sheet.svg(f"{graph.name}: {node.name}")


def formula(one: Strip) -> str:
    """The size formula with its numbers."""
    a = one.axis
    more = f" + {a.overhang}" if a.overhang else ""
    left = one.padded - (one.outputs - 1) * a.stride - a.extent
    inner = f"{one.size} + {a.before} + {a.after}{more} − {a.extent}"
    text = f"⌊({inner})/{a.stride}⌋ + 1 = {one.outputs}"
    return f"{text}, {left} left over" if left else text


def grid(sheet: Sheet, down: Strip, across: Strip) -> None:
    """The padded input; what no window reaches is marked."""
    rank = ("pixel", "padding", "left-over")
    for row, y in down.places.items():
        for column, x in across.places.items():
            name = max(down.kind(row), across.kind(column), key=rank.index)
            sheet.rect(x, y, CELL, CELL, name)
    for one, other in ((across, down), (down, across)):
        if len(one.places) < one.padded:
            at = one.places[len(one.places) // 2 - 1] + CELL + GAP / 2
            x, y = (at, other.length / 2) if one is across else (other.length / 2, at)
            sheet.text(x, y + 3, "⋯" if one is across else "⋮", "small")


def results(sheet: Sheet, left: float, down: Strip, across: Strip) -> None:
    """The output, a cell for each position that is drawn."""
    rows, columns = len(down.shown()), len(across.shown())
    for row in range(rows):
        for column in range(columns):
            sheet.rect(left + column * CELL, row * CELL, CELL, CELL, "cell")
    sheet.arrow((left - 46, CELL / 2), (left - 12, CELL / 2))


def moving(sheet: Sheet, left: float, down: Strip, across: Strip) -> None:
    """The window and the output that it makes, from position to position."""
    rows, columns = (
        [one.places[place * one.axis.stride] for place in one.shown()] for one in (down, across)
    )
    starts = [(x, y) for y in rows for x in columns]
    ends = [(left + c * CELL, r * CELL) for r in range(len(rows)) for c in range(len(columns))]
    wide, high = (one.axis.extent * CELL for one in (across, down))
    dot = f'width="{num(CELL - 10)}" height="{num(CELL - 10)}"'
    taps = "".join(
        f'<rect class="tap" x="{num(x * CELL + 5)}" y="{num(y * CELL + 5)}" {dot}/>'
        for y in range(0, down.axis.extent, down.axis.dilation)
        for x in range(0, across.axis.extent, across.axis.dilation)
    )
    frame = f'<rect class="window" width="{num(wide)}" height="{num(high)}"/>{taps}'
    sheet.raw(moved(frame, starts))
    sheet.raw(moved(f'<rect class="result" width="{num(CELL)}" height="{num(CELL)}"/>', ends))


def moved(element: str, places: Sequence[tuple[float, float]]) -> str:
    """An element at the first place, which goes from place to place for ever."""
    first = f"{num(places[0][0])} {num(places[0][1])}"
    if len(places) == 1:
        return f'<g transform="translate({first})">{element}</g>'
    values = ";".join(f"{num(x)} {num(y)}" for x, y in places)
    return (
        f'<g transform="translate({first})">{element}'
        f'<animateTransform attributeName="transform" type="translate" calcMode="discrete" '
        f'dur="{num(SECONDS * len(places))}s" repeatCount="indefinite" values="{values}"/></g>'
    )


def legend(sheet: Sheet, y: float, down: Strip, across: Strip) -> None:
    """What the cells are, as far as there are some."""
    x = 0.0
    for name, words in kinds(down, across):
        sheet.rect(x, y, 11, 11, name)
        sheet.text(x + 16, y + 9, words, "small start")
        x += 34 + 6.0 * len(words)


def kinds(down: Strip, across: Strip) -> Iterator[tuple[str, str]]:
    """The kinds of cells, with what they are called."""
    there = {one.kind(cell) for one in (down, across) for cell in range(one.padded)}
    names = {"pixel": "input", "padding": "padding", "left-over": "left over"}
    yield from ((name, words) for name, words in names.items() if name in there)
    yield "window", "the window"
    yield "result", "what it makes"
