"""Where lines break: the pieces of statements put on lines of at most `WIDTH` columns.

The author's breaks before `->` and `else`, between the items of brackets and beside operators
inside them are kept; what is still too long is broken at the same places. Braces stay on one line
while they are short enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from grammar.format.parts import can_break, is_broken, split_item, split_statement
from grammar.format.pieces import Braces, Entry, Group, Node, Piece, first_piece
from grammar.format.widths import (
    flat_width,
    head_width,
    is_flat,
    is_hanging,
    rows_of_numbers,
    tail_widths,
)
from grammar.records import dataclass

WIDTH = 100
INDENT = 4


@dataclass
class Line:
    """A line: its pieces with the space before each, or only a comment.

    `run` is the same for lines that follow each other between the same braces, without an empty
    line; `groups` are the brackets that the line goes on inside.
    """

    indent: int
    run: int
    blank: int = 0
    pieces: list[Piece] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    groups: tuple[Group, ...] = ()
    comment: str = ""

    @property
    def width(self) -> int:
        """How long the line is, without its comment."""
        return self.indent + sum(self.gaps) + sum(len(piece.text) for piece in self.pieces)


class Layout:
    """Lines in the making; the last one is being written."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.run = 0
        self.groups: list[Group] = []
        self.margin = 0  # the indent of the last line that was begun outside of brackets

    @property
    def line(self) -> Line:
        """The line being written."""
        return self.lines[-1]

    def start_line(self, indent: int, blank: int = 0) -> None:
        """Begin a new line after `blank` empty ones."""
        self.run += bool(blank)
        for group in self.groups:
            group.several_lines = True
        self.margin = self.margin if self.groups else indent
        self.lines.append(Line(indent, self.run, blank, groups=tuple(self.groups)))

    def put(
        self, piece: Piece, indent: int, *, fresh: bool = False, above: int | None = None
    ) -> None:
        """Write a piece, `fresh` on a new line at `indent`; comments before it force that.

        They are indented by `above` when that differs.
        """
        if piece.above or fresh or self.line.comment:
            for comment in piece.above:
                self.start_line(indent if above is None else above)
                self.line.comment = comment
            self.start_line(indent, piece.blank)
        self.line.gaps.append(piece.gap if self.line.pieces else 0)
        self.line.pieces.append(piece)
        self.line.comment = piece.comment

    # ── blocks and statements ────────────────────────────────────────────────────────────────

    def block(self, entries: Sequence[Entry], indent: int) -> None:
        """The entries of a file or between braces, each on its lines."""
        begun = 0
        for index, entry in enumerate(entries):
            whole = len(self.lines) == begun  # the statement before needed one line
            if entry.joined and whole and self.joins(entries[index - 1], entry):
                self.semicolon(entry)
            else:
                self.start_line(indent, entry.blank)
            begun = len(self.lines)
            self.line.comment = entry.comment
            self.statement(entry.nodes, indent)

    def joins(self, before: Entry, entry: Entry) -> bool:
        """Whether a statement stays behind the one before it."""
        flat = bool(before.nodes) and is_flat(before.nodes) and is_flat(entry.nodes)
        return flat and self.line.width + 2 + flat_width(entry.nodes) <= WIDTH

    def semicolon(self, entry: Entry) -> None:
        """`; ` before another statement on the line."""
        self.put(Piece(";", "mark", 0, 0, gap=0), 0)
        first_piece(entry.nodes[0]).gap = 1

    def statement(self, nodes: Sequence[Node], indent: int) -> None:
        """A statement on the line that was begun, and on as many more as it needs."""
        parts = split_statement(nodes)
        if parts and first_piece(nodes[0]).text == "if":
            open_up_together(nodes, parts, indent)
        before: list[Node] = []
        for part in parts:
            first = first_piece(part[0])
            is_else = first.text == "else"
            fresh = bool(before) and (is_broken(part) or not self.fits(part))
            if is_else and isinstance(before[-1], Braces) and not before[-1].inline:
                fresh = False
            self.nodes(part, indent if is_else else indent + INDENT, fresh=fresh)
            before = part

    def fits(self, nodes: Sequence[Node], tail: int = 0) -> bool:
        """Whether nodes, and `tail` more columns, have room on this line."""
        gap = first_piece(nodes[0]).gap
        return self.line.width + gap + head_width(nodes) + tail <= WIDTH

    def nodes(
        self, nodes: Sequence[Node], indent: int, *, fresh: bool = False, tail: int = 0
    ) -> None:
        """Nodes one behind the other; `indent` is for lines that comments force."""
        widths = tail_widths(nodes)
        last_break = max((i for i, node in enumerate(nodes) if can_break(node)), default=-1)
        for index, node in enumerate(nodes):
            new = fresh and index == 0
            after = widths[index] + (tail if index >= last_break else 0)
            if isinstance(node, Piece):
                self.put(node, indent, fresh=new)
            elif isinstance(node, Group):
                self.group(node, indent, fresh=new, tail=after)
            else:
                self.braces(node, indent, fresh=new, tail=after)

    def flat(self, nodes: Sequence[Node], indent: int) -> None:
        """Nodes on this line."""
        for node in nodes:
            self.put(first_piece(node), indent)
            if isinstance(node, Group):
                for item in node.items:
                    self.flat(item, indent)
                self.put(node.closing, indent)
            elif isinstance(node, Braces):
                for index, entry in enumerate(node.block):
                    if index:
                        self.semicolon(entry)
                    first_piece(entry.nodes[0]).gap = 1
                    self.flat(entry.nodes, indent)
                self.put(node.closing, indent)

    # ── brackets ─────────────────────────────────────────────────────────────────────────────

    def braces(self, braces: Braces, indent: int, *, fresh: bool, tail: int) -> None:
        """A body: on the line, or opened up."""
        if braces.inline and self.line.width + 1 + flat_width([braces]) + tail <= WIDTH:
            self.flat([braces], indent)
            return
        braces.inline = False
        self.put(braces.opening, indent, fresh=fresh)
        margin = self.margin
        self.run += 1
        self.block(braces.block, margin + INDENT)
        self.run += 1
        self.start_line(margin)
        self.put(braces.closing, margin)

    def group(self, group: Group, indent: int, *, fresh: bool, tail: int) -> None:
        """Brackets: on the line, else their items under one another behind the opening one."""
        self.put(group.opening, indent, fresh=fresh)
        room = WIDTH - self.line.width
        rest = flat_width([group]) - len(group.opening.text)
        if not is_hanging(group) and is_flat([group]) and rest + tail <= room:
            for item in group.items:
                self.flat(item, indent)
            self.put(group.closing, indent)
            return
        margin = self.line.indent
        widest = max((flat_width(item) for item in group.items), default=0)
        hangs = is_hanging(group) or (widest > room and self.line.width > margin + INDENT)
        inside = margin + INDENT if hangs else self.line.width
        self.groups.append(group)
        stacked = True  # each item on a line of its own
        for index, item in enumerate(group.items):
            last = index + 1 == len(group.items)
            after = len(group.closing.text) + tail if last and not hangs else 0
            new = hangs if index == 0 else is_broken(item) or not self.fits(item, after)
            before = len(self.lines)
            self.item(item, inside, fresh=new, tail=after, alone=len(group.items) == 1)
            begun = [line.pieces[:1] for line in self.lines[before:]]
            stacked = stacked and (index == 0 or [first_piece(item[0])] in begun)
        self.groups.pop()
        for row in rows_of_numbers(group) if stacked else ():
            row.matrix = group
        self.put(group.closing, margin if hangs else inside - 1, fresh=hangs, above=inside)

    def item(
        self, item: Sequence[Node], indent: int, *, fresh: bool, tail: int, alone: bool
    ) -> None:
        """An item of brackets, broken before operators where it must be."""
        parts = split_item(item)
        for index, part in enumerate(parts):
            after = tail if index + 1 == len(parts) else 0
            new = fresh if index == 0 else is_broken(part) or not self.fits(part, after)
            inside = indent if index == 0 or alone else indent + INDENT
            self.nodes(part, inside, fresh=new, tail=after)


def open_up_together(nodes: Sequence[Node], parts: list[list[Node]], indent: int) -> None:
    """The bodies of an `if` and its `else` are all on one line each, or none is."""
    bodies = [node for node in nodes if isinstance(node, Braces)]
    fit = all(indent + flat_width(part) <= WIDTH for part in parts)
    if not fit or not all(body.inline for body in bodies):
        for body in bodies:
            body.inline = False
