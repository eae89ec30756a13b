"""An open block as the page is given it: everything in its place while all that it holds is closed.

When something in it opens, the page moves lanes and rows apart (`moving.js`); what stands beside
and below what, and how lines run, is settled here.
"""

from __future__ import annotations

from dataclasses import dataclass

from netc.plot.inside import Inside
from netc.plot.lines import oblique_rows
from netc.plot.packing import closed, placed
from netc.plot.plan import BoxTree, PlanItem


@dataclass(frozen=True)
class PlotLayout:
    """A block's inside, measured from its axis and its top.

    `slots` are (child or -1, row, x, room to the left, to the right); `rows` are (top, height,
    height before lines go over, while they do, whether they are oblique); `lines` are (slot
    above, slot below, times, port above, port below); `labels` are (slot, port, shape, its
    width). `ins` and `outs` are the slots at the border.
    """

    left: float
    right: float
    height: float
    slots: tuple[tuple[int, int, float, float, float], ...]
    rows: tuple[tuple[float, float, float, float, int], ...]
    lines: tuple[tuple[int, int, int, int, int], ...]
    labels: tuple[tuple[int, int, str, float], ...]
    ins: tuple[int, ...]
    outs: tuple[int, ...]


def layout_of(plan: BoxTree, item: PlanItem) -> PlotLayout:
    """The layout of a block, all that it holds being closed."""
    arrangement = item.arrangement
    assert arrangement is not None
    children = [closed(plan.items[child], child) for child in item.children]
    inside = Inside(item, arrangement, children, plan.widths)
    place = placed(inside)
    slanting = oblique_rows(inside, place.x)
    pieces = list(zip(arrangement.pieces, item.ports, strict=True))
    labels = {
        (above, out): item.labels[tensor]
        for (tensor, above, _, _), (out, _) in pieces
        if item.labels[tensor] and inside.child(above)
    }
    return PlotLayout(
        place.left,
        place.right,
        place.rows.height,
        tuple(
            (
                node if node is not None and node < arrangement.children else -1,
                inside.row_of[slot],
                place.x[slot],
                *inside.extents[slot],
            )
            for slot, node in enumerate(arrangement.nodes)
        ),
        tuple(
            (top, height, stem, bend, int(row in slanting))
            for row, (top, height, (stem, bend)) in enumerate(
                zip(place.rows.tops, place.rows.heights, place.rows.gaps, strict=True)
            )
        ),
        tuple((above, below, times, *ports) for (_, above, below, times), ports in pieces),
        tuple((*place, text, plan.widths[text]) for place, text in labels.items()),
        tuple(inside.border(0)),
        tuple(inside.border(1)),
    )
