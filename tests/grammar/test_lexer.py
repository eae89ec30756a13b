"""One scanner for all contexts finds the tokens that Lark's own lexer finds."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
from lark import Lark, UnexpectedInput
from lark.lexer import ContextualLexer

from compiler.files import LIBRARY
from grammar import tables
from grammar.lexer import NewlineFilter, OneScanner

NAMED_LIKE_WORDS = """net data(batch, step) {
    input train: f32[batch]   # `data`, `batch` … begin statements of a training only
    with = train -> dense(step) as only
    output labels = with
}
"""


@cache
def parser(lexer: type[ContextualLexer]) -> Lark:
    found = tables.kept_tables()
    if found is None:
        pytest.skip("the tables are another Lark's")
    options = {"postlex": NewlineFilter(), "_plugins": {"ContextualLexer": lexer}}
    found["data"]["options"] |= options
    return Lark.load(found)


def tokens(lexer: type[ContextualLexer], text: str) -> list[Any]:
    """Name, text and place of each, and of what fits no further."""
    found: list[Any] = []
    try:
        for token in parser(lexer).parse_interactive(text, start="start").iter_parse():
            found.append((token.type, str(token), token.start_pos, token.line, token.column))
    except UnexpectedInput as error:
        wanted = getattr(error, "accepts", None) or getattr(error, "allowed", None)
        found.append((type(error), error.pos_in_stream, wanted))
    return found


TEXTS = [path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*.netdef"))]


@pytest.mark.parametrize("text", [*TEXTS, NAMED_LIKE_WORDS])
def test_the_tokens_are_those_of_larks_own_lexer(text: str) -> None:
    found = tokens(OneScanner, text)
    assert found == tokens(ContextualLexer, text) and len(found) > 20


def test_so_are_those_of_broken_texts_and_the_mistake() -> None:
    random = Random(1)
    refused = 0
    for text in (*TEXTS[::6], NAMED_LIKE_WORDS):
        for _ in range(10):
            start = random.randrange(len(text))
            broken = text[:start] + random.choice([" ", "in", "->", "data ", "§", "3x"])
            broken += text[start + random.randrange(9) :]
            found = tokens(OneScanner, broken)
            assert found == tokens(ContextualLexer, broken)
            refused += len(found) > 0 and isinstance(found[-1][0], type)
    assert refused > 10


def test_no_terminal_is_renamed_after_it_is_matched() -> None:
    """As `OneScanner` takes for granted."""
    lexer: Any = parser(ContextualLexer).parser.lexer
    for one in {lexer.lexer.root_lexer, *lexer.lexer.lexers.values()}:
        assert one.scanner.allowed_types and one.callback == {}
