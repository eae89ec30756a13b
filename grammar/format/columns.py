"""What stands under one another at the ends of lines: shape assertions and comments.

They keep the author's column when most of the neighbouring lines agree on one and it leaves room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from grammar.format.alignment import align_inside
from grammar.format.lines import WIDTH, Line

ASSERTION_GAP = 5  # before the shape assertion of the longest line
COMMENT_GAP = 2


def align(lines: Sequence[Line]) -> None:
    """Set the gaps of all lines."""
    for _, run in groupby(lines, key=lambda line: line.run):
        rows = [line for line in run if line.pieces]
        align_inside(rows)
        align_assertions(rows)


def align_assertions(rows: Sequence[Line]) -> None:
    """Put the shape assertions that end lines of one run under one another."""
    found = [(line, index) for line in rows if (index := assertion_of(line)) is not None]
    if not found:
        return
    ends = [width_before(line, index) for line, index in found]
    tails = [
        line.width - end - line.gaps[index] for (line, index), end in zip(found, ends, strict=True)
    ]
    colons = [line.pieces[index] for line, index in found]
    authors = [colon.column for colon in colons]
    column = common_column(authors, max(ends) + 1) or max(ends) + ASSERTION_GAP
    if len(found) == 1:
        column = ends[0] + max(1, colons[0].space or 0)
    if column + max(tails) > WIDTH:
        column = max(ends) + 1
    for (line, index), end, tail in zip(found, ends, tails, strict=True):
        line.gaps[index] = column - end if column + tail <= WIDTH else 1


def assertion_of(line: Line) -> int | None:
    """The index of the colon of a shape assertion that ends the line, not behind a lone `}`."""
    for index in reversed(range(1, len(line.pieces))):
        if line.pieces[index].role == "assertion":
            opening = line.pieces[index + 1]
            closes = opening.group is not None and opening.group.closing is line.pieces[-1]
            behind_brace = index == 1 and line.pieces[0].text == "}"
            return index if closes and not behind_brace else None
    return None


def width_before(line: Line, index: int) -> int:
    """The column at which the piece before the one at `index` ends."""
    lengths = (len(piece.text) for piece in line.pieces[:index])
    return line.indent + sum(line.gaps[:index]) + sum(lengths)


def comment_columns(lines: Sequence[Line]) -> list[int]:
    """For each line the column of the comment behind its code (0 where there is none)."""
    columns = [0] * len(lines)
    numbered = [(n, line) for n, line in enumerate(lines) if line.pieces and line.comment]
    for _, run in groupby(numbered, key=lambda pair: pair[1].run):
        rows = list(run)
        least = max(line.width for _, line in rows) + COMMENT_GAP
        ends = [line.pieces[-1] for _, line in rows]
        column = common_column([end.comment_column for end in ends], least) or least
        if len(rows) == 1:
            column = least + max(0, ends[0].comment_space - COMMENT_GAP)
        for number, _ in rows:
            columns[number] = column
    return columns


def common_column(columns: Sequence[int], least: int) -> int | None:
    """The column that most lines of a run have, if it leaves room."""
    (column, count), *others = Counter(columns).most_common()
    agreed = not others or count > others[0][1]
    return column if agreed and column >= least else None
