"""The Pygments lexer keeps in step with the grammar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name, guess_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, Token

from grammar import highlight
from grammar.highlight import NetdefLexer
from grammar.lexemes import RESERVED
from grammar.tables import GRAMMAR

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "netdefs").glob("*.netdef"))
WORDS = {
    *highlight.CONSTANTS,
    *highlight.WORD_OPERATORS,
    *highlight.DEFINING,
    *highlight.STATEMENTS,
    *highlight.INTERFACE,
    *highlight.INFIX,
}


def tokens(text: str) -> list[tuple[object, str]]:
    return [(kind, word) for kind, word in NetdefLexer().get_tokens(text) if word.strip()]


def test_its_words_are_those_of_the_grammar() -> None:
    rules = re.sub(r"//.*|/(?:\\.|[^/\n])+/", "", GRAMMAR.read_text(encoding="utf-8"))
    assert set(re.findall(r'"([a-z]+)"', rules)) == WORDS


def test_the_reserved_words_are_those_that_the_grammar_refuses_as_names() -> None:
    (refused,) = re.findall(r"NAME: /\(\?!\(\?:([a-z|]+)\)", GRAMMAR.read_text(encoding="utf-8"))
    assert set(refused.split("|")) == RESERVED
    assert {*highlight.INTERFACE, *highlight.INFIX} == WORDS - RESERVED


def test_pygments_finds_it_by_name_and_by_file() -> None:
    assert isinstance(get_lexer_by_name("netdef"), NetdefLexer)
    assert isinstance(guess_lexer_for_filename("x.netdef", "net n {}"), NetdefLexer)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_knows_every_word_of_the_library(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = list(NetdefLexer().get_tokens(text))
    assert "".join(word for _, word in found) == text
    assert Error not in [kind for kind, _ in found]


def test_words_have_the_kinds_of_their_places() -> None:
    text = (
        "# why\nnet n(output=1.5) {\n    input x: f32[3] from p()\n    { output y = conv(as) }"
        '\n    in.c -> unit(3x3, true) as "a{b + 1}\\n" like as\n}\n'
    )
    found = tokens(text)
    assert found[:5] == [
        (Comment.Single, "# why"),
        (Keyword.Declaration, "net"),
        (Name.Class, "n"),
        (Token.Punctuation, "("),
        (Name.Attribute, "output"),
    ]
    for expected in [
        (Keyword.Declaration, "input"),
        (Keyword, "from"),
        (Keyword.Declaration, "output"),
        (Name.Function, "conv"),
        (Name, "as"),
        (Name.Builtin.Pseudo, "in"),
        (Operator, "->"),
        (Number.Other, "3x3"),
        (Number.Float, "1.5"),
        (Keyword.Constant, "true"),
        (Keyword, "as"),
        (String.Interpol, "{"),
        (String.Escape, "\\n"),
        (Keyword, "like"),
    ]:
        assert expected in found
