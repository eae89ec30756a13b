"""Lanes: the slots of a block's rows that stand below one another, so that lines are straight.

After Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2001): a slot is aligned
with the middle one of its neighbours, lines that pass rows go first, and no two alignments cross.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from netc.plot.flows import BodyFlows, TensorFlow
from netc.plot.layers import LinePiece, RowSlot, SlotRows, rows_of
from netc.plot.trunk import skips, weights


@dataclass(frozen=True)
class Arrangement:
    """A block's picture without sizes.

    `rows` has the slots of each row. `nodes` has the place of each slot (`TensorFlow`), None where
    a tensor passes, and `lanes` its lane, numbered so that in each row the numbers grow. `pieces`
    of line are (tensor, slot above, slot below, times), the tensors numbered by their first use.
    `pulls` are for each lane the pieces to other lanes that would be straight if they could, each
    with whether the lane is at its lower end. `entering` and `leaving` are the places, from left to
    right, of the tensors that cross the border; `axis` is the slot in which the main one enters.
    """

    children: int
    rows: tuple[tuple[int, ...], ...]
    nodes: tuple[int | None, ...]
    lanes: tuple[int, ...]
    pulls: tuple[tuple[tuple[int, bool], ...], ...]
    pieces: tuple[tuple[int, int, int, int], ...]
    entering: tuple[int, ...]
    leaving: tuple[int, ...]
    axis: int | None

    def is_main(self, port: int, *, leaving: bool) -> bool:
        """Whether a tensor that leaves or enters does so on the axis."""
        slot = self.children + port + leaving * len(self.entering)  # places are the first slots
        return self.axis is not None and self.lanes[slot] == self.lanes[self.axis]


def arrange(body: BodyFlows, plain: Sequence[bool]) -> Arrangement:
    """Rows and lanes of a block; `plain` children are those that change nothing."""
    skipped = skips(body, plain)
    above, below = weights(body, skipped)
    rows = rows_of(body, plain)
    number = {name: index for index, name in enumerate(tensors_of(body))}
    lanes = lanes_of(rows, above, below)
    first_out = body.children + len(body.ins)
    return Arrangement(
        body.children,
        rows.rows,
        tuple(slot.node for slot in rows.slots),
        lanes,
        pulls_of(rows, lanes, above | below),
        tuple((number[p.tensor], p.above, p.below, p.times) for p in rows.pieces),
        tuple(rows.position[place] for place in range(body.children, first_out)),
        tuple(rows.position[place] for place in range(first_out, first_out + len(body.outs))),
        axis_of(rows, body, lanes),
    )


def axis_of(rows: SlotRows, body: BodyFlows, lanes: Sequence[int]) -> int | None:
    """The slot of the tensor that enters above the most children, if any enters."""
    held = Counter(
        lane for slot, lane in zip(rows.slots, lanes, strict=True) if is_child(slot, body)
    )
    entering = range(body.children, body.children + len(body.ins))
    return max(entering, key=lambda slot: held[lanes[slot]], default=None)


def is_child(slot: RowSlot, body: BodyFlows) -> bool:
    """Whether a child stands in a slot."""
    return slot.node is not None and slot.node < body.children


def tensors_of(body: BodyFlows) -> list[str]:
    """The tensors that flow in a block, in the order of their first use."""
    return list(dict.fromkeys(flow.tensor for flow in body.flows))


def counted(rows: SlotRows, flows: set[TensorFlow]) -> set[LinePiece]:
    """The pieces of line on the way of some of the flows."""
    wanted = {(flow.tensor, flow.target) for flow in flows}
    into: dict[int, LinePiece] = {}
    for piece in rows.pieces:
        if rows.slots[piece.below].node is None:
            into[piece.below] = piece
    found: set[LinePiece] = set()
    for piece in rows.pieces:
        if (piece.tensor, rows.slots[piece.below].node) in wanted:
            found.add(piece)
            while rows.slots[piece.above].node is None:
                piece = into[piece.above]
                found.add(piece)
    return found


def lanes_of(rows: SlotRows, above: set[TensorFlow], below: set[TensorFlow]) -> tuple[int, ...]:
    """The lane of each slot."""
    up, down = counted(rows, above), counted(rows, below)
    middle_above = middle(rows, up, lambda piece: piece.below, lambda piece: piece.above)
    middle_below = middle(rows, down, lambda piece: piece.above, lambda piece: piece.below)
    leaving = Counter(piece.above for piece in rows.pieces)
    entering = Counter(piece.below for piece in rows.pieces)
    ranked: list[list[LinePiece]] = [[], [], []]
    for piece in rows.pieces:
        ends = (piece.above, piece.below)
        if all(rows.slots[end].node is None for end in ends):
            ranked[0].append(piece)
        elif not piece.main:
            continue
        elif (middle_below.get(piece.above), middle_above.get(piece.below)) == ends[::-1]:
            ranked[1].append(piece)
        elif leaving[piece.above] == entering[piece.below] == 1:
            ranked[2].append(piece)
    return numbered(rows, aligned(rows, [piece for pieces in ranked for piece in pieces]))


def middle(
    rows: SlotRows,
    pieces: set[LinePiece],
    here: Callable[[LinePiece], int],
    there: Callable[[LinePiece], int],
) -> dict[int, int]:
    """The middle one of the slots to which pieces lead from a slot, if their number is odd."""
    ends: dict[int, set[int]] = {}
    for piece in rows.pieces:
        if piece in pieces:
            ends.setdefault(here(piece), set()).add(there(piece))
    return {
        slot: sorted(near, key=lambda end: rows.position[end])[len(near) // 2]
        for slot, near in ends.items()
        if len(near) % 2
    }


def aligned(rows: SlotRows, pieces: Sequence[LinePiece]) -> dict[int, int]:
    """For each slot the one that goes on straight below it; of two that cross the first stays."""
    below: dict[int, int] = {}
    taken: set[int] = set()
    kept: dict[int, list[tuple[int, int]]] = {}
    for piece in pieces:
        if piece.above in below or piece.below in taken:
            continue
        ends = (rows.position[piece.above], rows.position[piece.below])
        others = kept.setdefault(rows.slots[piece.above].row, [])
        index = bisect(others, ends)
        if crosses(ends, others[max(0, index - 1) : index + 1]):
            continue
        others.insert(index, ends)
        below[piece.above] = piece.below
        taken.add(piece.below)
    return below


def crosses(ends: tuple[int, int], beside: Sequence[tuple[int, int]]) -> bool:
    """Whether a piece crosses its neighbours, given as places above and below.

    Those that are kept between two rows do not cross, so a piece that crosses any crosses one that
    is next to it above.
    """
    return any((ends[0] < above) != (ends[1] < below) for above, below in beside)


def numbered(rows: SlotRows, below: dict[int, int]) -> tuple[int, ...]:
    """A number for each slot's lane, growing to the right in every row."""
    head: dict[int, int] = {}
    for row in rows.rows:
        for slot in row:
            head.setdefault(slot, slot)
            if slot in below:
                head[below[slot]] = head[slot]
    right: dict[int, dict[int, None]] = {lane: {} for lane in dict.fromkeys(head.values())}
    for row in rows.rows:
        for slot, beside in pairwise(row):
            right[head[slot]][head[beside]] = None
    waiting = Counter(lane for lanes in right.values() for lane in lanes)
    free = [lane for lane in right if not waiting[lane]]
    number: dict[int, int] = {}
    for lane in free:  # grows while it is read
        number[lane] = len(number)
        for beside in right[lane]:
            waiting[beside] -= 1
            if not waiting[beside]:
                free.append(beside)
    return tuple(number[head[slot]] for slot in range(len(rows.slots)))


def pulls_of(
    rows: SlotRows, lanes: Sequence[int], flows: set[TensorFlow]
) -> tuple[tuple[tuple[int, bool], ...], ...]:
    """For each lane the pieces along the flows that count; for a mere line's lane all of them."""
    counting = counted(rows, flows)
    passing = [True] * (max(lanes, default=-1) + 1)
    for slot, lane in enumerate(lanes):
        passing[lane] = passing[lane] and rows.slots[slot].node is None
    found: list[list[tuple[int, bool]]] = [[] for _ in passing]
    for index, piece in enumerate(rows.pieces):
        above, below = lanes[piece.above], lanes[piece.below]
        for lane, is_lower in ((above, False), (below, True)):
            if above != below and (piece in counting or passing[lane]):
                found[lane].append((index, is_lower))
    return tuple(map(tuple, found))
