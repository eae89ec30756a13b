"""The formatter: a definition in the house style, its comments and its meaning unchanged.

read        the text as pieces in statements in blocks, with the comments around them
spaces      how much space stands before each piece
lines       where lines break
alignment   what the author aligned inside lines stays aligned
columns     shape assertions and comments under one another
printer     a syntax tree as text, for those who make one without a text
"""

from __future__ import annotations

from grammar.format.columns import align, comment_columns
from grammar.format.lines import Layout, Line
from grammar.format.printer import file_text
from grammar.format.read import read
from grammar.parse import parse
from grammar.source import Source
from grammar.syntax import File

__all__ = ["format_file", "format_source", "print_file"]


def format_source(source: Source) -> str:
    """The text in the house style; raises `DefinitionError` when it does not parse."""
    return format_file(parse(source).whole())


def format_file(file: File) -> str:
    """The text that a tree was parsed from, in the house style."""
    layout = Layout()
    layout.block(read(file), 0)
    align(layout.lines)
    columns = comment_columns(layout.lines)
    texts = [text_of(line, column) for line, column in zip(layout.lines, columns, strict=True)]
    return "".join(f"{text}\n" for text in texts)


def print_file(file: File) -> str:
    """A tree as text in the house style; raises ValueError for a tree with what was broken."""
    return format_source(Source("printed", file_text(file)))


def text_of(line: Line, comment_column: int) -> str:
    """A line with the empty ones before it."""
    pieces = zip(line.gaps, line.pieces, strict=True)
    code = " " * line.indent + "".join(" " * gap + piece.text for gap, piece in pieces)
    text = code.ljust(comment_column) + line.comment if line.comment else code
    return "\n" * line.blank + text
