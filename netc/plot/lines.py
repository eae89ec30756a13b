"""The lines of an open block, from row to row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from netc.plot.inside import METRICS, Inside, Segment

MOST_SQUARE = 1000  # lines that go over below one row

Place: TypeAlias = tuple[int, float]  # a slot, and x from its axis


def over(span: float) -> float:
    """The height in which a line goes over by a width."""
    if span <= METRICS["straight"]:
        return 0.0
    return max(METRICS["least"], min(METRICS["most"], span * METRICS["slope"]))


def lines_of(
    inside: Inside,
    x: Sequence[float],
    box_tops: Sequence[float],
    tops: Sequence[float],
    heights: Sequence[float],
    gaps: Sequence[tuple[float, float]],
) -> tuple[Segment, ...]:
    """Every piece of line, twice where a layer takes a tensor twice.

    `x` and `box_tops` are those of the slots, `tops`, `heights` and `gaps` those of the rows.
    """
    found, slanting = [], oblique_rows(inside, x)
    for tensor, above, below, times, start, end in inside.meetings:
        row, upper, lower = inside.row_of[above], inside.child(above), inside.child(below)
        bend = tops[row] + heights[row] + gaps[row][0]
        top = box_tops[above] + (upper.height if upper else 0.0)
        if inside.arrangement.nodes[above] is None:  # the line to here goes through the row
            top = tops[row] + heights[row]
        bottom = box_tops[below] + (0.0 if lower else heights[row + 1])
        for twin in range(times):
            found.append(
                Segment(
                    tensor,
                    x[above] + start,
                    top,
                    bend,
                    bend + gaps[row][1],
                    x[below] + end + (twin - (times - 1) / 2) * METRICS["twin"],
                    bottom,
                    lower is not None and not lower.children,
                    row in slanting,
                )
            )
    return tuple(found)


def oblique_rows(inside: Inside, x: Sequence[float]) -> set[int]:
    """The rows below which square lines of unlike tensors would lie on each other.

    They may where they part from one box, or meet at one. Below a row with very many lines that go
    over nobody could follow square ones.
    """
    leaving = Counter((above, start) for _, above, _, _, start, _ in inside.meetings)
    entering = Counter((below, end) for _, _, below, _, _, end in inside.meetings)
    bent: dict[int, list[tuple[float, float, Place, Place]]] = {}
    found: set[int] = set()
    for _, above, below, _, start, end in inside.meetings:
        row, one, other = inside.row_of[above], x[above] + start, x[below] + end
        low, high = min(one, other), max(one, other)
        if high - low <= METRICS["straight"]:
            continue
        others = bent.setdefault(row, [])
        if (leaving[above, start] > 1 and entering[below, end] > 1) or len(others) == MOST_SQUARE:
            found.add(row)
        if row in found:
            continue
        for low_too, high_too, start_too, end_too in others:
            apart = (above, start) != start_too and (below, end) != end_too
            if apart and low < high_too + METRICS["apart"] and low_too < high + METRICS["apart"]:
                found.add(row)
        others.append((low, high, (above, start), (below, end)))
    return found
