"""The words and signs of a text, comments and newlines included, whether or not it parses.

Lark's lexer feeds the parser; this one serves what must see everything or cope with anything: the
formatter and the recovery after a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal[
    "newline", "comment", "text", "unclosed", "size", "number", "word", "mark", "foreign"
]

OPENING = frozenset({"use", "let", "block", "net", "for", "repeat", "assert", "expect"})
RESERVED = OPENING | {"and", "or", "not", "if", "else", "in", "true", "false"}
# They begin a statement of a training and are names anywhere else.
LEARNING = frozenset(
    [
        "data",
        "noise",
        "augment",
        "minimize",
        "maximize",
        "report",
        "update",
        "batch",
        "epochs",
        "accumulate",
        "step",
        "show",
    ]
)
MOST_NESTING = 100  # brackets inside brackets; the tree is walked by recursion later
PARTNER = {")": "(", "]": "[", "}": "{"}

_LEXEME = r"""
      (?P<newline> \r?\n (?:[ \t\r]*+\n)*+ )  # with the empty lines after it
    | (?P<comment> \#[^\n]*+ )
    | (?P<text> "(?:[^"\\\n]++|\\[^\n])*+" )
    | (?P<unclosed> "[^\n]*+ )
    | (?P<size> [0-9]++(?:x[0-9]++)++(?!\w) )
    | (?P<number> [0-9][0-9_]*+(?:\.[0-9][0-9_]*+)?(?:[eE][-+]?[0-9]++)? )
    | (?P<word> [^\W\d][\w\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u3099\u309a]*+ )
    | (?P<mark> -> | \.\.\. | == | != | <= | >= | // | \*\* | [-+*/%<>=()\[\]{},:;.] )
    | (?P<foreign> [^ \t\r] )
    """
# White space, then what counts as one word or sign.
_COUNTED = r'[ \t\r\n]*+(?:#[^\n]*+|"[^"\n]*+"?|\w++|[^ \t\r\n]|\Z)'


class Lexeme(NamedTuple):
    """One word or sign, and where it stands."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset just after it."""
        return self.start + len(self.text)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_LEXEME, re.VERBOSE)


def scan(text: str, start: int = 0) -> Iterator[Lexeme]:
    """The lexemes from offset `start` on; white space other than newlines is passed over."""
    for match in _pattern().finditer(text, start):
        yield Lexeme(match.lastgroup, match.group(), match.start())  # type: ignore[arg-type]


def offset_beyond(text: str, most: int) -> int | None:
    """Where the text has more than `most` words, signs and comments; None when it has not."""
    for count, match in enumerate(re.finditer(_COUNTED, text)):
        if count == most:
            return match.end() - 1 if match.group().strip() else None
    return None
