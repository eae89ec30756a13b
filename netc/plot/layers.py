"""The rows of a block's picture: which box stands in which row, and beside which.

A row lies below the rows of all that flows into it (Sugiyama, Tagawa and Toda 1981). A tensor that
passes rows on its way has a place in each of them, which all its users share, so that its line runs
beside the boxes. Nothing here depends on how large the boxes are.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from netc.plot.flows import BodyFlows

SWEEPS = 4
MOST_PASSING = 32  # tensors with lines of their own beside the boxes, on the way to one layer

Order: TypeAlias = list[list[int]]
Near: TypeAlias = dict[int, list[tuple[int, float]]]


@dataclass(frozen=True)
class RowSlot:
    """A place in a row: of a child, the border (`node` as in `TensorFlow`), a passing tensor."""

    row: int
    node: int | None
    tensor: str = ""


@dataclass(frozen=True)
class LinePiece:
    """A tensor's line from a slot to one in the next row; the rest as in `TensorFlow`."""

    tensor: str
    above: int
    below: int
    times: int = 1
    out: float = 0.0
    into: float = 0.0
    main: bool = True


@dataclass(frozen=True)
class SlotRows:
    """The slots of each row from left to right, and the pieces of line between them."""

    slots: tuple[RowSlot, ...]
    rows: tuple[tuple[int, ...], ...]
    pieces: tuple[LinePiece, ...]

    @cached_property
    def position(self) -> dict[int, int]:
        """Where in its row each slot stands."""
        return {slot: place for row in self.rows for place, slot in enumerate(row)}


def rows_of(body: BodyFlows, side: Sequence[bool]) -> SlotRows:
    """Rank a block's places and order each row; children for which `side` holds stand right."""
    ranks = rank(body)
    slots = [RowSlot(row, node) for node, row in enumerate(ranks)]
    pieces: list[LinePiece] = []
    passing: dict[tuple[str | int, int], int] = {}
    bundled, ended = bundles(body, ranks), set[int]()
    for flow in body.flows:
        above, out = flow.source, flow.out
        line = flow.target if flow.target in bundled else flow.tensor
        for row in range(ranks[flow.source] + 1, ranks[flow.target]):
            below = passing.get((line, row))
            if below is None:
                below = passing[line, row] = len(slots)
                slots.append(RowSlot(row, None, flow.tensor))
                pieces.append(LinePiece(flow.tensor, above, below, out=out, main=flow.main))
            elif line == flow.target:  # it joins the others, whose line goes on to the target
                pieces.append(LinePiece(flow.tensor, above, below, out=out, main=flow.main))
                above = passing[line, ranks[flow.target] - 1]
                break
            above, out = below, 0.0
        if above not in ended:
            last = LinePiece(flow.tensor, above, flow.target, flow.times, out, flow.into, flow.main)
            pieces.append(last)
        if line == flow.target and above != flow.source:
            ended.add(above)
    order: Order = [[] for _ in range(max(ranks, default=0) + 1)]
    for index, slot in enumerate(slots):
        order[slot.row].append(index)
    late = [slot.node is None or (slot.node < len(side) and side[slot.node]) for slot in slots]
    return SlotRows(tuple(slots), tuple(map(tuple, ordered(order, pieces, late))), tuple(pieces))


def bundles(body: BodyFlows, ranks: Sequence[int]) -> set[int]:
    """The layers to which very many tensors pass rows, so that their lines join into one."""
    passing: dict[int, set[float]] = {}
    count = Counter[int]()
    for flow in body.flows:
        if ranks[flow.target] - ranks[flow.source] > 1:
            passing.setdefault(flow.target, set()).add(flow.into)
            count[flow.target] += 1
    # A block has a place for each tensor that enters it; a layer one for all.
    return {
        target
        for target, places in passing.items()
        if len(places) == 1 and count[target] > MOST_PASSING
    }


def rank(body: BodyFlows) -> list[int]:
    """The row of each place: one below the lowest that flows into it, at the border the ends.

    A child that nothing flows into stands just above its first user.
    """
    entering = range(body.children, body.children + len(body.ins))
    leaving = range(entering.stop, entering.stop + len(body.outs))
    ranks = [1 if body.ins else 0] * leaving.stop
    for place in entering:
        ranks[place] = 0
    flows = sorted(body.flows, key=lambda flow: flow.source)
    for flow in flows:  # children come in an order in which sources are first
        if flow.source in entering:
            ranks[flow.target] = max(ranks[flow.target], 1)
    for flow in flows:
        if flow.source < body.children:
            ranks[flow.target] = max(ranks[flow.target], ranks[flow.source] + 1)
    fed = {flow.target for flow in flows}
    users: dict[int, list[int]] = {}
    for flow in flows:
        users.setdefault(flow.source, []).append(flow.target)
    for place in reversed(range(body.children)):
        if place not in fed and place in users:
            ranks[place] = min(ranks[user] for user in users[place]) - 1
    bottom = max(ranks[: body.children]) + 1
    for place in leaving:
        ranks[place] = bottom
    return ranks


def ordered(order: Order, pieces: Sequence[LinePiece], late: Sequence[bool]) -> Order:
    """Rows ordered by the mean place of their neighbours; the best of a few sweeps is kept."""
    above: Near = {}
    below: Near = {}
    for piece in pieces:
        above.setdefault(piece.below, []).append((piece.above, piece.out))
        below.setdefault(piece.above, []).append((piece.below, piece.into))
    order = swept(order, above, late)
    best, fewest = order, crossings(order, pieces)
    for _ in range(SWEEPS):
        if not fewest:
            break
        order = swept(swept(order[::-1], below, late)[::-1], above, late)
        count = crossings(order, pieces)
        if count < fewest:
            best, fewest = order, count
    return best


def swept(order: Order, neighbours: Near, late: Sequence[bool]) -> Order:
    """Each row sorted by the mean place of its neighbours in the row before; ties as they were."""
    done: Order = []
    place: dict[int, int] = {}
    for row in order:
        was = {slot: index for index, slot in enumerate(row)}

        def key(slot: int, was: dict[int, int] = was) -> tuple[float, bool, int]:
            near = [place[other] + shift for other, shift in neighbours.get(slot, ())]
            return (sum(near) / len(near) if near else was[slot], late[slot], was[slot])

        row = sorted(row, key=key)
        place.update((slot, index) for index, slot in enumerate(row))
        done.append(row)
    return done


def crossings(order: Order, pieces: Sequence[LinePiece]) -> int:
    """How often lines cross."""
    place = {slot: index for row in order for index, slot in enumerate(row)}
    row_of = {slot: index for index, row in enumerate(order) for slot in row}
    gaps: list[list[tuple[float, float]]] = [[] for _ in order]
    for piece in pieces:
        ends = (place[piece.above] + piece.out, place[piece.below] + piece.into)
        gaps[row_of[piece.above]].append(ends)
    count = 0
    for gap in gaps:
        passed: list[float] = []
        for _, end in sorted(gap):
            count += len(passed) - bisect_right(passed, end)
            insort(passed, end)
    return count
