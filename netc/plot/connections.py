"""Which number of a layer looks at which before it: dense, sparse, and with shared weights.

For small nets of vectors and waves, every number a circle. Lines of one weight have one colour
where a layer uses a weight several times; where each line has its own they are grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from compiler.graph import Graph, Node
from compiler.ops.base import Axis, is_join
from netc.plot.chain import main_way
from netc.plot.sheet import Sheet
from netc.plot.words import call, cut
from runtime.errors import CallError

MOST_UNITS = 64  # numbers of a tensor
MOST_LINES = 1200  # between two tensors
RADIUS, STEP, APART, ROW = 9.0, 30.0, 22.0, 118.0  # pixels; between channels, between rows
# Tell apart in print and by most eyes (after Okabe and Ito, 2008), then again with dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000", "#b3a100")

Edge: TypeAlias = tuple[int, int, int]  # a number before, a number after, which weight


@dataclass(frozen=True)
class Joint:
    """How two tensors are connected: every line, and how many weights the lines share."""

    edges: tuple[Edge, ...]
    weights: int

    @property
    def is_shared(self) -> bool:
        """Whether a weight has several lines."""
        return 0 < self.weights < len(self.edges)


def connections(graph: Graph) -> str:
    """The figure; raises `CallError` for a net that has too many numbers, or branches."""
    rows = rows_of(graph)
    widths = [width_of_row(node) for node, _, _ in rows]
    sheet, most = Sheet(), max(widths)
    places = [
        [(x + (most - width) / 2, at * ROW) for x in units_of(node)]
        for at, ((node, _, _), width) in enumerate(zip(rows, widths, strict=True))
    ]
    for at, (_, joint, _) in enumerate(rows):
        for edge in joint.edges if joint is not None else ():
            draw(sheet, joint, edge, places[at - 1], places[at])
    for at, (node, joint, words) in enumerate(rows):
        for number, (x, y) in enumerate(places[at]):
            sheet.reach(x - RADIUS, y - RADIUS)
            sheet.reach(x + RADIUS, y + RADIUS)
            circle = f'<circle class="unit" cx="{x:g}" cy="{y:g}" r="{RADIUS:g}"/>'
            sheet.raw(circle)
            if len(places[at]) <= 32:
                sheet.text(x, y + 3.5, str(number % node_width(node) + 1), "small")
        sheet.text(most + 26, at * ROW + 4, words, "small bold start")
        if joint is not None:
            sheet.text(most + 26, at * ROW + 4 - ROW / 2, counted(joint), "small start")
    return sheet.svg(graph.name)


def rows_of(graph: Graph) -> list[tuple[Node, Joint | None, str]]:
    """The tensors that are drawn, from the top, each with what connects it to the one before.

    What takes each number by itself is only named.
    """
    found: list[tuple[Node, Joint | None, str]] = []
    for node in main_way(graph):
        check(graph, node)
        if not node.inputs:
            found.append((node, None, cut(node.name)))
            continue
        joint = joint_of(graph, node)
        if joint is None:
            last, before, words = found[-1]
            found[-1] = (last, before, cut(f"{words} → {call(node.op)}"))
        else:
            found.append((node, joint, cut(call(node.op))))
    return found


def check(graph: Graph, node: Node) -> None:
    """Raise `CallError` for a tensor that is no small vector or wave, or is joined of several."""
    count, shape = 1, node.shape
    for size in shape:
        count = count * size if isinstance(size, int) else MOST_UNITS + 1
    if is_join(node.op):
        raise CallError(f"connections are drawn of a chain; {node.name} joins branches")
    if len(shape) not in (1, 2) or count > MOST_UNITS:
        raise CallError(
            f"connections are drawn of vectors and waves of at most {MOST_UNITS} numbers; "
            f"{node.name} is {'x'.join(map(str, shape))}"
        )


def node_width(node: Node) -> int:
    """The numbers of a channel, or of a vector."""
    width = node.shape[-1]
    assert isinstance(width, int)
    return width


def channels_of(node: Node) -> int:
    """The channels of a wave; 1 of a vector."""
    count = node.shape[0] if len(node.shape) == 2 else 1
    assert isinstance(count, int)
    return count


def units_of(node: Node) -> list[float]:
    """The x of each number, channel after channel."""
    width = node_width(node)
    return [
        channel * (width * STEP + APART) + place * STEP
        for channel in range(channels_of(node))
        for place in range(width)
    ]


def width_of_row(node: Node) -> float:
    """From the first number of a tensor to its last."""
    return units_of(node)[-1]


def joint_of(graph: Graph, node: Node) -> Joint | None:
    """How a layer connects its input to its output; None where each number stays by itself."""
    (before,) = (graph[name] for name in node.inputs[:1])
    shapes = graph.input_shapes(node)
    reach = node.op.reach(shapes, node.shape, graph.facts)
    if node.op.name == "dense" and len(before.shape) == 1:
        count, units = node_width(before), node_width(node)
        edges = tuple((i, o, o * count + i) for o in range(units) for i in range(count))
        return Joint(edges, len(edges))
    if reach.kind == "window" and len(before.shape) == 2 and len(node.shape) == 2:
        return slid(graph, before, node, reach.axes[0])
    if channels_of(before) * node_width(before) == channels_of(node) * node_width(node):
        return None  # an activation, a norm, flatten
    if reach.kind == "everywhere":
        width, channels = node_width(before), channels_of(before)
        edges = tuple(
            (c * width + p, c if len(node.shape) == 1 else c * node_width(node), 0)
            for c in range(channels)
            for p in range(width)
        )
        return Joint(edges, 0)
    raise CallError(f"connections of {node.op.name} ({node.name}) are not drawn")


def slid(graph: Graph, before: Node, node: Node, axis: Axis) -> Joint:
    """The lines of a window that slides along a wave: a convolution, a filter, a pooling."""
    learned = node.op.holds_weights
    groups = getattr(node.op, "groups", 1) if learned else channels_of(before)
    width, made = node_width(before), node_width(node)
    each, per_group = channels_of(before) // groups, channels_of(node) // groups

    def lines() -> Iterator[Edge]:
        for out in range(channels_of(node)):
            for place in range(made):
                for inner in range(each):
                    for tap in range(axis.kernel):
                        at = place * axis.stride - axis.before + tap * axis.dilation
                        if 0 <= at < width:
                            source = (out // per_group * each + inner) * width + at
                            weight = (out * each + inner) * axis.kernel + tap
                            yield source, out * made + place, weight

    edges = tuple(lines())
    if len(edges) > MOST_LINES:
        raise CallError(f"{node.name} makes {len(edges):,} connections: at most {MOST_LINES:,}")
    return Joint(edges, len({weight for _, _, weight in edges}) if learned else 0)


def draw(
    sheet: Sheet,
    joint: Joint | None,
    edge: Edge,
    above: Sequence[tuple[float, float]],
    below: Sequence[tuple[float, float]],
) -> None:
    """One line, coloured by its weight where that is shared."""
    source, target, weight = edge
    (x, y), (to_x, to_y) = above[source], below[target]
    style = ""
    if joint is not None and joint.is_shared:
        dashes = ("", "6 3", "2 2", "8 2 2 2")[weight // len(COLOURS) % 4]
        colour = COLOURS[weight % len(COLOURS)]
        style = f' style="stroke:{colour};stroke-dasharray:{dashes or "none"}"'
    sheet.line([(x, y + RADIUS), (to_x, to_y - RADIUS)], "edge", style)


def counted(joint: Joint) -> str:
    """How many connections there are, and how many weights."""
    lines = f"{len(joint.edges):,} connections"
    if not joint.weights:
        return f"{lines}, no weights"
    if joint.is_shared:
        return f"{lines}, {joint.weights:,} weights, each shared"
    return f"{lines}, each with a weight of its own"
