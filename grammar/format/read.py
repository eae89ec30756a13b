"""A text as pieces in statements in blocks, with every comment at its place.

The parser says where the statements begin, the lexemes say everything else, so that no comment is
lost and no word is changed.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from grammar import syntax as s
from grammar.format.pieces import Braces, Entry, Group, Node, Piece
from grammar.format.spaces import CLOSING, set_gaps
from grammar.lexemes import Lexeme, scan

MOST_BLANK = 2  # empty lines in a row


def read(file: s.File) -> list[Entry]:
    """The entries of a file that parses."""
    return _Reader(file).block()


def statement_starts(file: s.File) -> set[int]:
    """The offsets at which items and statements begin (not the `if` of an `else if`)."""
    found = {item.span.start for item in file.items}
    waiting: list[Any] = list(file.items)
    while waiting:
        node = waiting.pop()
        if isinstance(node, s.Body):
            inner = (st.span.start for st in node.statements)
            found.update(start for start in inner if start != node.span.start)
        if is_dataclass(node):
            waiting += [getattr(node, field.name) for field in fields(node) if field.name != "span"]
        elif isinstance(node, tuple):
            waiting += node
    return found


class Between(NamedTuple):
    """A newline or comment between two pieces, and the column that it stands at."""

    lexeme: Lexeme
    column: int


class _Reader:
    """Reads one file's lexemes in order; newlines and comments are kept for what follows them."""

    def __init__(self, file: s.File) -> None:
        starts = statement_starts(file)
        self.pieces: list[Piece] = []
        self.between: list[list[Between]] = [[]]  # newlines and comments before each piece
        self.begins: set[int] = set()  # indices of pieces
        line = end = 0
        for lexeme in scan(file.source.text):
            column = lexeme.start - line
            if lexeme.kind in ("newline", "comment"):
                self.between[-1].append(Between(lexeme, column))
                line = lexeme.end if lexeme.kind == "newline" else line
                end = lexeme.end
                continue
            if lexeme.start in starts:
                self.begins.add(len(self.pieces))
            space = None if end == line else lexeme.start - end
            self.pieces.append(Piece(lexeme.text, lexeme.kind, column, space))
            self.between.append([])
            if lexeme.text == ",":  # comments before a comma go behind it
                self.between[-1], self.between[-2] = self.between[-2], []
            end = lexeme.end
        set_gaps(self.pieces, self.begins)
        self.index = 0
        self.before: Piece | None = None

    # ── blocks ───────────────────────────────────────────────────────────────────────────────

    def block(self) -> list[Entry]:
        """Entries up to the closing brace or the end."""
        entries: list[Entry] = []
        while True:
            lines = self.comments(entries)
            if self.index == len(self.pieces) or self.pieces[self.index].text == "}":
                return entries
            if self.pieces[self.index].text == ";":
                self.index += 1
                continue
            blank = max(lines - 1, 0) if entries else 0
            joined = lines == 0 and bool(entries)
            entries.append(Entry(self.statement(), "", min(blank, MOST_BLANK), joined))

    def comments(self, entries: list[Entry]) -> int:
        """Read the comments before the next piece; how many line ends stand right before it."""
        lines = 0
        for lexeme, column in self.between[self.index]:
            if lexeme.kind == "newline":
                lines += lexeme.text.count("\n")
            elif lines == 0 and self.before is not None and not self.before.comment:
                self.behind(self.before, lexeme, column)
            else:
                blank = max(lines - 1, 0) if entries else 0
                entries.append(Entry([], lexeme.text.rstrip(), min(blank, MOST_BLANK)))
                lines = 0
        self.between[self.index] = []
        return lines

    def behind(self, piece: Piece, comment: Lexeme, column: int) -> None:
        """A comment on the line of the piece before it."""
        piece.comment = comment.text.rstrip()
        piece.comment_column = column
        piece.comment_space = column - piece.column - len(piece.text)

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def statement(self) -> list[Node]:
        """The nodes of the statement that begins here."""
        nodes = [self.node()]
        while not self.ends():
            nodes.append(self.node())
        return nodes

    def ends(self) -> bool:
        """Whether the next piece is no more of this statement."""
        if self.index == len(self.pieces) or self.index in self.begins:
            return True
        return self.pieces[self.index].text in ("}", ";")

    def node(self) -> Node:
        """A piece, or a bracket with all that is in it."""
        callee = self.before.text if self.before is not None else ""
        piece = self.take()
        if piece.text in ("(", "["):
            return self.group(piece, callee if piece.gap == 0 else "")
        if piece.text == "{":
            start = self.index
            block = self.block()
            inside = self.pieces[start : self.index + 1]
            inline = not piece.comment and not any(p.broken or p.comment for p in inside)
            return Braces(piece, block, self.take(), inline)
        return piece

    def group(self, opening: Piece, callee: str) -> Group:
        """The items up to the closing bracket."""
        items: list[list[Node]] = [[]]
        while self.pieces[self.index].text not in CLOSING:
            node = self.node()
            items[-1].append(node)
            if isinstance(node, Piece) and node.text == ",":
                items.append([])
        group = Group(opening, [item for item in items if item], self.take(), callee)
        opening.group = group
        return group

    def take(self) -> Piece:
        """The next piece, with the comments before it."""
        piece = self.pieces[self.index]
        lines = 0
        for lexeme, column in self.between[self.index]:
            if lexeme.kind == "newline":
                lines += lexeme.text.count("\n")
            elif lines == 0 and self.before is not None:
                self.behind(self.before, lexeme, column)
            else:
                piece.above.append(lexeme.text.rstrip())
                lines = 0
        piece.blank = min(max(lines - 1, 0), MOST_BLANK)
        self.index += 1
        self.before = piece
        return piece
