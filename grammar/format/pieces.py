"""What the formatter works on: words and signs with the space and the comments around them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, TypeAlias

from grammar.lexemes import Kind
from grammar.records import dataclass

Role: TypeAlias = Literal[
    "", "binary", "unary", "keyword", "type", "assertion", "slice", "loop", "statement"
]


@dataclass
class Piece:
    """A word or sign: the space it should have before it, and what the author put there.

    `space` is the author's, None at the beginning of a line; `column` is where it stood. `above`
    are comments on lines of their own before it, `comment` is one behind it on its line. The
    `role` tells a minus from a difference, what an `=`, a `:` or an `in` is for, and which words
    begin a statement of a training. An opening bracket has its `group`.
    """

    text: str
    kind: Kind
    column: int
    space: int | None
    role: Role = ""
    gap: int = 1
    above: list[str] = field(default_factory=list)
    comment: str = ""
    comment_column: int = 0
    comment_space: int = 0
    blank: int = 0
    group: Group | None = None

    @property
    def broken(self) -> bool:
        """Whether the author began a line with it."""
        return self.space is None


@dataclass(eq=False)
class Group:
    """`( … )` or `[ … ]`: its items, each with the comma behind it.

    `callee` is the word before it. `matrix` is what a row of numbers on a line of its own belongs
    to. `several_lines` is set when it is laid out.
    """

    opening: Piece
    items: list[list[Node]]
    closing: Piece
    callee: str = ""
    matrix: Group | None = None
    several_lines: bool = False


@dataclass(eq=False)
class Braces:
    """`{ … }` in a statement; `inline` when it may stand on one line."""

    opening: Piece
    block: list[Entry]
    closing: Piece
    inline: bool


Node: TypeAlias = Piece | Group | Braces


@dataclass
class Entry:
    """A statement, or a comment on a line of its own; `blank` empty lines before it.

    `joined` when it stands behind the statement before on one line, after a `;`.
    """

    nodes: list[Node]
    comment: str = ""
    blank: int = 0
    joined: bool = False


def first_piece(node: Node) -> Piece:
    """The first word or sign of a node."""
    return node if isinstance(node, Piece) else node.opening


def last_piece(node: Node) -> Piece:
    """The last word or sign of a node."""
    return node if isinstance(node, Piece) else node.closing
