"""Between the text and Lark's parser: one scanner for all contexts, and newlines that do not count.

`lexemes.py` is the other lexer, for what must see comments or cope with anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lark import Token
from lark.common import LexerConf
from lark.lexer import BasicLexer, ContextualLexer

from grammar.lexemes import MOST_NESTING


class InContext(BasicLexer):
    """The lexer of one context, in which some of the terminals may stand.

    The first of *all* terminals that fits here is, if it may stand here, also the first of those
    that may: both try them in the same order. So one regular expression serves nearly every token,
    and that of the context is compiled only where it decides (`data` as a name) or to tell of a
    mistake. They are 140; those that a small definition needs would take as long to compile as the
    whole of it to parse.
    """

    anywhere: InContext

    def __init__(self, conf: LexerConf, comparator: Any = None) -> None:
        super().__init__(conf, comparator)
        self.callback = {}  # no terminal is renamed after it is matched
        self.names = frozenset(terminal.name for terminal in self.terminals)

    def match(self, text: Any, pos: int) -> tuple[str, str] | None:
        """The token at an offset: its text and the terminal's name."""
        found: tuple[str, str] | None = self.anywhere.scanner.match(text, pos)
        if found is not None and found[1] not in self.names:
            found = self.scanner.match(text, pos)
        return found


class OneScanner(ContextualLexer):
    """Lark's contextual lexer; its contexts share what they compile."""

    BasicLexer = InContext

    def __init__(
        self,
        conf: LexerConf,
        states: dict[int, Collection[str]],
        always_accept: Collection[str] = (),
    ) -> None:
        super().__init__(conf, states, always_accept)
        for lexer in (self.root_lexer, *self.lexers.values()):
            assert isinstance(lexer, InContext) and isinstance(self.root_lexer, InContext)
            lexer.anywhere = self.root_lexer


class NewlineFilter:
    """Drops newlines in round and square brackets and after a comma (Lark's `postlex`).

    Any other ends the statement, or is a mistake where a statement cannot end.
    """

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that reach the parser; a bracket too deep becomes one that it refuses."""
        open_brackets: list[str] = []
        before = ""
        for token in stream:
            if token.type in ("LPAR", "LSQB", "LBRACE"):
                open_brackets.append(token.type)
                if len(open_brackets) > MOST_NESTING:
                    token.type = "TOO_DEEP"
            elif token.type in ("RPAR", "RSQB", "RBRACE") and open_brackets:
                open_brackets.pop()
            in_brackets = bool(open_brackets) and open_brackets[-1] != "LBRACE"
            if token.type != "_NEWLINE" or not (in_brackets or before == "COMMA"):
                yield token
            before = token.type
