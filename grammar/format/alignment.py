"""What the author aligned inside lines stays aligned.

A piece that stands further right than it need, in line with its counterpart on a neighbouring line
(the same argument of the same call, the same arrow or label), is kept there; so is one that was
so before its line was changed. Rows of numbers are aligned at their right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from grammar.format.lines import WIDTH, Line
from grammar.format.pieces import Group, Piece
from grammar.records import dataclass

ANCHORS = ("->", "as", "like", "=", "from", "labels", "{", "else")
MOST_ROUNDS = 50

Key: TypeAlias = tuple[object, ...]


@dataclass(eq=False)
class Mark:
    """A piece that could be aligned: where it is, and what its counterparts have the same of.

    `width` is that of a number, else 0; `moved` when the author put it further right than it need.
    """

    row: int
    index: int
    key: Key
    column: int
    width: int
    moved: bool

    def stands_with(self, other: Mark, *, right: bool) -> bool:
        """Whether two were aligned by the author."""
        shift = (self.width - other.width) if right else 0
        return self.column + shift == other.column


def align_inside(rows: Sequence[Line]) -> None:
    """Set the gaps inside the lines of a run."""
    by_key: dict[Key, list[Mark]] = defaultdict(list)
    for number, line in enumerate(rows):
        for mark in marks_of(line, number):
            by_key[mark.key].append(mark)
    columns: list[AlignedColumn] = []
    for marks in by_key.values():
        columns += columns_of(marks)
    if columns:
        settle(rows, columns)


# ── finding ──────────────────────────────────────────────────────────────────────────────────


@dataclass
class OpenBracket:
    """An open bracket of a line: the key of its items, how many there were, whether one begins."""

    key: Key
    count: int = 0
    begins: bool = True


def marks_of(line: Line, row: int) -> list[Mark]:
    """The pieces of a line, before a shape assertion, that could be aligned with others."""
    marks: list[Mark] = []
    frames = [OpenBracket(("in", id(group)), begins=False) for group in line.groups]
    if frames:
        frames[-1].begins = line.pieces[0].role != "binary"
    path: Key = ("line",)
    before: Piece | None = None
    for index, piece in enumerate(line.pieces):
        if piece.role == "assertion":
            break  # what follows moves with the colon
        key: Key | None = None
        if frames and frames[-1].begins and piece.text not in (")", "]"):
            frame = frames[-1]
            if frame.count or frame.key[0] != "in":  # the others are indented behind the first
                key = (*frame.key, frame.count)
            frame.count, frame.begins = frame.count + 1, False
        elif not frames and (piece.text in ANCHORS or (before and before.role == "type")):
            key = path = (*path, piece.text if piece.kind == "mark" else piece.kind)
        if key is not None and index > 0:
            moved = piece.space is not None and piece.space > line.gaps[index]
            width = number_at(line.pieces, index) if frames else 0
            marks.append(Mark(row, index, key, piece.column, width, moved))
        if piece.group is not None:
            context = (*frames[-1].key, frames[-1].count) if frames else path
            frames.append(OpenBracket(items_key(piece.group, context)))
        elif piece.text == "," and frames:
            frames[-1].begins = True
        elif piece.text in (")", "]") and frames:
            frames.pop()
        before = piece
    return marks


def items_key(group: Group, context: Key) -> Key:
    """What the items of a bracket share with their counterparts on other lines."""
    if group.matrix is not None:
        return ("row", id(group.matrix))
    if group.several_lines:
        return ("in", id(group))
    return (*context, group.callee)


def number_at(pieces: Sequence[Piece], index: int) -> int:
    """How wide the number is that is a whole item, its sign included; 0 for anything else."""
    sign = 1 if pieces[index].role == "unary" else 0
    item = pieces[index + sign : index + sign + 2]
    if len(item) < 2 or item[0].kind != "number" or item[1].text not in (",", ")", "]"):
        return 0
    return sign + len(item[0].text)


# ── aligning ─────────────────────────────────────────────────────────────────────────────────


@dataclass(eq=False)
class AlignedColumn:
    """Marks to be aligned, at their right or left; `at` is the column so far."""

    marks: list[Mark]
    right: bool
    at: int = 0


def columns_of(marks: Sequence[Mark]) -> list[AlignedColumn]:
    """The columns that counterparts form, given in the order of their lines."""
    pairs = list(pairwise(marks))
    numbers = all(mark.width for mark in marks)
    if marks[0].key[0] == "row":
        return [AlignedColumn(list(marks), right=True)]
    moved = [pair for pair in pairs if pair[0].moved or pair[1].moved]
    counts = [sum(a.stands_with(b, right=side) for a, b in moved) for side in (False, True)]
    right = numbers and counts[True] >= counts[False]
    linked = [a.stands_with(b, right=right) and (a.moved or b.moved) for a, b in pairs]
    held = [any(linked[max(0, n - 1) : n + 1]) for n in range(len(marks))]
    for n, (a, b) in enumerate(pairs):  # one that its line's change has pushed out of the column
        strays = (a.moved and not held[n], b.moved and not held[n + 1])
        if (strays[0] and (b.moved or held[n + 1])) or (strays[1] and (a.moved or held[n])):
            linked[n] = True
    columns: list[AlignedColumn] = []
    for n, is_linked in enumerate(linked):
        if not is_linked:
            continue
        if n and linked[n - 1]:
            columns[-1].marks.append(marks[n + 1])
        else:
            columns.append(AlignedColumn([marks[n], marks[n + 1]], right))
    return columns


def settle(rows: Sequence[Line], columns: Sequence[AlignedColumn]) -> None:
    """Move the marks of each column as far right as the furthest needs; not past the width."""
    of_mark = {
        (mark.row, mark.index): (column, mark) for column in columns for mark in column.marks
    }
    plain = [list(line.gaps) for line in rows]
    for _ in range(MOST_ROUNDS):
        before = [column.at for column in columns]
        for number, line in enumerate(rows):
            end = line.indent
            for index, piece in enumerate(line.pieces):
                start = end + plain[number][index]
                if (number, index) in of_mark:
                    column, mark = of_mark[number, index]
                    shift = mark.width if column.right else 0
                    column.at = max(column.at, start + shift)
                    start = column.at - shift
                line.gaps[index] = start - end
                end = start + len(piece.text)
        if before == [column.at for column in columns]:
            break
    else:
        restore(rows, plain)
    if any(
        line.width > WIDTH >= line.indent + natural(line, gaps)
        for line, gaps in zip(rows, plain, strict=True)
    ):
        restore(rows, plain)


def natural(line: Line, gaps: Sequence[int]) -> int:
    """The width of a line's pieces with other gaps."""
    return sum(gaps) + sum(len(piece.text) for piece in line.pieces)


def restore(rows: Sequence[Line], gaps: Sequence[list[int]]) -> None:
    """Put the gaps back."""
    for line, before in zip(rows, gaps, strict=True):
        line.gaps = list(before)
