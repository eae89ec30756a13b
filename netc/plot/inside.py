"""An open block while it is packed: its slots with the room that they need, its lines' ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from netc.plot.lanes import Arrangement
from netc.plot.plan import PlanItem

# Pixels, and how often lanes are moved.
METRICS: dict[str, float] = {
    "apart": 18,  # between boxes side by side
    "beside": 2,  # on either side of a line that passes
    "label": 16,  # height of a shape on a line
    "drop": 4,  # of its letters above that height's end
    "indent": 6,  # from the line to its shape
    "under": 13,  # what a shape takes below a line that goes to the right
    "stub": 4,  # a line without a shape before it may go over
    "tip": 9,  # the straight end of a line with an arrow
    "padding": 12,  # inside an open block
    "margin": 16,  # around the network
    "twin": 10,  # between two lines from one layer to another
    "least": 14,  # least and largest height in which lines go over
    "most": 28,
    "slope": 0.1,  # of that height to the width that they cross
    "straight": 0.5,  # lines that go over by less are straight
    "sweeps": 8,
}

Meeting: TypeAlias = tuple[int, int, int, int, float, float]


@dataclass(frozen=True)
class Segment:
    """A piece of line from (x, top) to (to, bottom), in the next row.

    Between `bend` and `end` it goes over: square with round corners, or `oblique` where another
    line would lie on it.
    """

    tensor: int
    x: float
    top: float
    bend: float
    end: float
    to: float
    bottom: float
    arrow: bool
    oblique: bool


@dataclass(frozen=True)
class Packed:
    """A box with its size, measured from its axis and its top; `ins` and `outs` are x on its axis.

    An open one has its children (x of the axis, y of the top), lines and labels (x, y, text).
    """

    item: int
    left: float
    right: float
    height: float
    ins: tuple[float, ...] = (0.0,)
    outs: tuple[float, ...] = (0.0,)
    children: tuple[tuple[Packed, float, float], ...] = ()
    lines: tuple[Segment, ...] = ()
    labels: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True)
class Inside:
    """What an open block holds, its children packed; `widths` are those of the shapes."""

    item: PlanItem
    arrangement: Arrangement
    children: Sequence[Packed]
    widths: dict[str, float]
    turned: bool = False

    def child(self, slot: int) -> Packed | None:
        """The child in a slot, if there is one."""
        node = self.arrangement.nodes[slot]
        if node is None or node >= self.arrangement.children:
            return None
        return self.children[node]

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each slot."""
        return {slot: row for row, slots in enumerate(self.arrangement.rows) for slot in slots}

    @cached_property
    def meetings(self) -> tuple[Meeting, ...]:
        """Each piece of line with where it meets the boxes at its ends, from their axes."""
        found = []
        pieces = zip(self.arrangement.pieces, self.item.ports, strict=True)
        for (tensor, above, below, times), (out, into) in pieces:
            upper, lower = self.child(above), self.child(below)
            start = upper.outs[out] if upper else 0.0
            end = lower.ins[into] if lower else 0.0
            found.append((tensor, above, below, times, start, end))
        return tuple(found)

    def labelled(self) -> Iterator[tuple[int, float, str]]:
        """The slots where a shape is written, with the line's x from the axis, and the shape."""
        for tensor, above, _, _, start, _ in self.meetings:
            text = self.item.labels[tensor]
            if text and self.child(above):
                yield above, start, text

    @cached_property
    def extents(self) -> list[tuple[float, float]]:
        """What each slot needs on either side: its box, the shape on its line, the title."""
        beside = METRICS["beside"]
        found = [(beside, beside)] * len(self.arrangement.nodes)
        for slot in range(len(found)):
            if child := self.child(slot):
                found[slot] = (child.left, child.right)
        for slot, start, text in self.labelled():
            left, right = found[slot]
            found[slot] = (left, max(right, start + self.beside(text)))
        if len(self.item.leaving) > 1:
            for slot, text in zip(self.border(1), self.item.leaving, strict=True):
                found[slot] = (beside, self.beside(text))
        if self.item.title is not None and self.arrangement.entering and not self.turned:
            first = self.arrangement.rows[0][0]
            left, right = found[first]
            found[first] = (max(left, self.item.title.width - METRICS["padding"]), right)
        return found

    def beside(self, text: str) -> float:
        """What a shape takes beside its line, across the flow."""
        return METRICS["under"] if self.turned else METRICS["indent"] + self.widths[text]

    def along(self, text: str) -> float:
        """What a shape takes along its line."""
        return self.widths[text] + METRICS["indent"] if self.turned else METRICS["label"]

    def border(self, side: int) -> list[int]:
        """The slots at which tensors enter (side 0) or leave (1), in the order of the flows."""
        arrangement = self.arrangement
        first = arrangement.children + side * len(arrangement.entering)
        count = len(arrangement.leaving if side else arrangement.entering)
        at = {node: slot for slot, node in enumerate(arrangement.nodes)}
        return [at[node] for node in range(first, first + count)]
