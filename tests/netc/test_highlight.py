"""The colours for Pygments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, _TokenType

import grammar
from grammar.lexemes import LEARNING
from netc.highlight import IN_PLACES, NetdefLexer
from netc.library import library_files

TEXT = """\
# A comment.
block cell(c, kernel=3x3) { conv(c, kernel, pad=1) -> relu as "a{c + 1}b" }
let width = 61_706
net n { input x: f32[3, H] ; relu as last ; assert not false }
"""


def tokens(text: str) -> list[tuple[_TokenType, str]]:
    return [(kind, part) for kind, part in NetdefLexer().get_tokens(text) if part.strip()]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("# A comment.", Comment.Single),
        ("block", Keyword.Declaration),
        ("cell", Name.Function),
        ("kernel", Name.Attribute),
        ("3x3", Number.Integer),
        ("conv", Name.Builtin),
        ("->", Operator),
        ("{", String.Interpol),
        ("61_706", Number.Integer),
        ("let", Keyword),
        ("input", Keyword),
        ("f32", Keyword.Type),
        ("last", Name.Label),
        ("not", Operator.Word),
        ("false", Keyword.Constant),
    ],
)
def test_words_have_their_colour(word: str, kind: _TokenType) -> None:
    assert (kind, word) in tokens(TEXT)


def test_an_argument_named_like_an_op_is_a_value() -> None:
    found = tokens("conv(c, pad=pad) -> pad(pad=1)")
    assert [kind for kind, part in found if part == "pad"] == [
        Name.Attribute,
        Name,
        Name.Builtin,
        Name.Attribute,
    ]


def test_a_block_that_is_called_looks_like_its_definition() -> None:
    assert (Name.Function, "cell") in tokens("relu -> cell(4)")
    assert (Name, "cell") in tokens("let cell_of = cell")


def test_the_text_comes_out_as_it_went_in() -> None:
    assert "".join(part for _, part in NetdefLexer().get_tokens(TEXT)) == TEXT


@pytest.mark.parametrize("path", library_files(), ids=lambda path: path.stem)
def test_every_definition_of_the_library_is_understood(path: Path) -> None:
    found = tokens(path.read_text(encoding="utf-8"))
    assert [part for kind, part in found if kind is Error] == []


@pytest.mark.parametrize("text", ['"open\nrelu', '"a{b\nrelu', '"a}b" relu', "relu \\ é relu"])
def test_what_is_broken_does_not_colour_the_rest(text: str) -> None:
    assert (Name.Builtin, "relu") == tokens(text)[-1]


def test_every_keyword_of_the_grammar_is_one() -> None:
    source = Path(grammar.__file__).with_name("netdef.lark").read_text(encoding="utf-8")
    keywords = set(re.findall(r'"([a-z]+)"', re.sub(r"//.*", "", source)))
    assert set(IN_PLACES) <= keywords
    behind = {"train": "train t", "only": 'update n only "a"', "grid": "show x grid 3x3"}
    behind |= {"with": "update n with adam"} | {word: f"{word} x" for word in LEARNING}
    for word in keywords:
        kinds = {part: kind for kind, part in tokens(behind.get(word, word))}
        assert kinds[word] in Keyword or kinds[word] is Operator.Word, word


def test_the_words_of_a_training_are_names_elsewhere() -> None:
    for text in ("data -> relu", "batch as b", "x -> step(3)", "report : [3]"):
        assert not [part for kind, part in tokens(text) if kind in Keyword and part in LEARNING]


def test_pygments_finds_the_lexer() -> None:
    assert isinstance(get_lexer_by_name("netdef"), NetdefLexer)
    assert isinstance(get_lexer_for_filename("x.netdef"), NetdefLexer)
