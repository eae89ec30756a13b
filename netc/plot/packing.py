"""How large everything is and where it goes, for the blocks that are open.

From inner blocks outwards: lanes get their x, rows their y. The page is given each block as it is
with all that it holds closed (`layout.py`), and moves that apart when something in it opens.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from netc.plot.columns import columns
from netc.plot.inside import METRICS, Inside, Packed
from netc.plot.lines import lines_of, over
from netc.plot.plan import BoxTree, PlanItem


def pack(plan: BoxTree, open_items: Container[int], index: int = 0) -> Packed:
    """Pack a box (at first the network, 0); `open_items` are the blocks that show their inside."""
    item = plan.items[index]
    if item.arrangement is None or index not in open_items:
        return closed(item, index)
    children = [pack(plan, open_items, child) for child in item.children]
    return opened(Inside(item, item.arrangement, children, plan.widths, plan.turned), index)


def closed(item: PlanItem, index: int) -> Packed:
    """A layer or a closed block; its tensors enter and leave side by side."""
    half = item.face.width / 2
    if item.arrangement is None:
        return Packed(index, half, half, item.face.height)
    ins, outs = item.arrangement.entering, item.arrangement.leaving
    return Packed(index, half, half, item.face.height, spread(ins, half), spread(outs, half))


def spread(places: Sequence[int], half: float) -> tuple[float, ...]:
    """Places 0, 1, … evenly over a width."""
    return tuple(((place + 1) / (len(places) + 1) * 2 - 1) * half for place in places)


@dataclass(frozen=True)
class Rows:
    """The top and the height of each row, and the heights of the gap below it.

    A gap is (before lines go over, while they do); `height` is that of the whole block.
    """

    tops: tuple[float, ...]
    heights: tuple[float, ...]
    gaps: tuple[tuple[float, float], ...]
    height: float


@dataclass(frozen=True)
class Placed:
    """Where the slots of an open block stand: x from its axis, the rows, and its size."""

    left: float
    right: float
    x: tuple[float, ...]
    rows: Rows


def placed(inside: Inside) -> Placed:
    """The place of everything in an open block."""
    lanes = columns(inside)
    at = [lanes[lane] for lane in inside.arrangement.lanes]
    title = inside.item.title
    edge = METRICS["margin"] if title is None else METRICS["padding"]
    left = min(x - extent for x, (extent, _) in zip(at, inside.extents, strict=True)) - edge
    right = max(x + extent for x, (_, extent) in zip(at, inside.extents, strict=True)) + edge
    if title is not None and inside.turned:
        left -= title.height
    elif title is not None:
        right = max(right, left + title.width)
    axis = at[inside.arrangement.axis] if inside.arrangement.axis is not None else 0.0
    x = tuple(place - axis for place in at)
    return Placed(axis - left, right - axis, x, rows_of(inside, x, edge))


def opened(inside: Inside, index: int) -> Packed:
    """An open block with everything in its place."""
    place = placed(inside)
    x, rows = place.x, place.rows
    tops = [top_in(inside, rows, slot) for slot in range(len(x))]
    return Packed(
        index,
        place.left,
        place.right,
        rows.height,
        tuple(x[slot] for slot in inside.border(0)),
        tuple(x[slot] for slot in inside.border(1)),
        tuple(
            (child, x[slot], tops[slot]) for slot in range(len(x)) if (child := inside.child(slot))
        ),
        lines_of(inside, x, tops, rows.tops, rows.heights, rows.gaps),
        labels_of(inside, x, tops),
    )


def rows_of(inside: Inside, x: Sequence[float], edge: float) -> Rows:
    """The rows from top to bottom; that of the border's upper side holds the title."""
    arrangement, title = inside.arrangement, inside.item.title
    heights = []
    for slots in arrangement.rows:
        boxes = [child.height for slot in slots if (child := inside.child(slot))]
        heights.append(max(boxes, default=0.0))
    head = edge if title is None or inside.turned else title.height
    top = edge + head if title is not None and not inside.turned else edge
    if title is not None and arrangement.entering:
        top, heights[0] = 0.0, head
    tops, gaps = [], gaps_of(inside, x)
    for height, (stem, bend) in zip(heights, gaps, strict=True):
        tops.append(top)
        top += height + stem + bend + METRICS["tip"]
    ends = title is None or not arrangement.leaving
    bottom = tops[-1] + heights[-1] + (edge if ends else 0.0)
    if title is not None and inside.turned:
        bottom = max(bottom, title.width)
    return Rows(tuple(tops), tuple(heights), gaps, bottom)


def gaps_of(inside: Inside, x: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Below each row the height before lines go over, and that in which they do."""
    count = len(inside.arrangement.rows)
    stems, spans = [METRICS["stub"]] * count, [0.0] * count
    for slot, _, text in inside.labelled():
        row = inside.row_of[slot]
        stems[row] = max(stems[row], inside.along(text))
    for _, above, below, times, start, end in inside.meetings:
        row = inside.row_of[above]
        span = METRICS["twin"] if times > 1 else abs(x[above] + start - x[below] - end)
        spans[row] = max(spans[row], span)
    return tuple((stem, over(span)) for stem, span in zip(stems, spans, strict=True))


def top_in(inside: Inside, rows: Rows, slot: int) -> float:
    """The top of the box in a slot, which stands in the middle of its row."""
    row, child = inside.row_of[slot], inside.child(slot)
    return rows.tops[row] + ((rows.heights[row] - child.height) / 2 if child else 0.0)


def labels_of(
    inside: Inside, x: Sequence[float], tops: Sequence[float]
) -> tuple[tuple[float, float, str], ...]:
    """The shapes, each once, beside the line where its tensor begins, below the box."""
    found: dict[tuple[int, float], tuple[float, float, str]] = {}
    for slot, start, text in inside.labelled():
        if child := inside.child(slot):
            end, line = tops[slot] + child.height, x[slot] + start
            if inside.turned:
                place = (line + METRICS["under"] - 2, end + METRICS["drop"])
            else:
                place = (line + METRICS["indent"], end + METRICS["label"] - METRICS["drop"])
            found.setdefault((slot, start), (*place, text))
    return tuple(found.values())
