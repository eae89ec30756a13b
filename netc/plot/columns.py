"""The x of each lane of an open block."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from netc.plot.inside import METRICS, Inside


def columns(inside: Inside) -> list[float]:
    """The x of each lane: as narrow as can be, then as near as can be to what it is joined with."""
    lanes, extents = inside.arrangement.lanes, inside.extents
    count = len(inside.arrangement.pulls)
    before: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    after: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    least, room = [0.0] * count, [0.0] * count
    for slot, lane in enumerate(lanes):
        least[lane] = max(least[lane], extents[slot][0])
        room[lane] = max(room[lane], extents[slot][1])
    for row in inside.arrangement.rows:
        for slot, beside in pairwise(row):
            apart = extents[slot][1] + METRICS["apart"] + extents[beside][0]
            after[lanes[slot]].append((lanes[beside], apart))
            before[lanes[beside]].append((lanes[slot], apart))
    for lane in range(count):
        least[lane] = max([least[lane], *(least[other] + by for other, by in before[lane])])
    width = max(low + extent for low, extent in zip(least, room, strict=True))
    most = [width - extent for extent in room]
    for lane in reversed(range(count)):
        most[lane] = min([most[lane], *(most[other] - by for other, by in after[lane])])
    x = [(low + high) / 2 for low, high in zip(least, most, strict=True)]
    for sweep in range(int(METRICS["sweeps"])):
        for lane in range(count) if sweep % 2 == 0 else reversed(range(count)):
            low = max([least[lane], *(x[other] + by for other, by in before[lane])])
            high = min([most[lane], *(x[other] - by for other, by in after[lane])])
            x[lane] = max(low, min(high, wish(inside, lane, x)))
    return x


def wish(inside: Inside, lane: int, x: Sequence[float]) -> float:
    """Where a lane would stand if nothing stood beside it: its lines would be straight."""
    pulls = inside.arrangement.pulls[lane]
    if not pulls:
        return x[lane]
    total = 0.0
    for piece, is_lower in pulls:
        _, above, below, _, start, end = inside.meetings[piece]
        if is_lower:
            total += x[inside.arrangement.lanes[above]] + start - end
        else:
            total += x[inside.arrangement.lanes[below]] + end - start
    return total / len(pulls)
