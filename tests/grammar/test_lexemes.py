"""The scanner of words agrees with the parser's, and copes with anything."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from grammar.lexemes import RESERVED, Lexeme, offset_beyond, scan
from grammar.tables import GRAMMAR, load_parser

SHIPPED = sorted((Path(__file__).parents[2] / "netdefs").glob("*.netdef"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_finds_the_words_that_the_parser_reads(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tokens = load_parser().parse_interactive(text, start="start").iter_parse()
    parsed = [
        (word.group(), (t.start_pos or 0) + word.start())
        for t in tokens
        if t.type != "_NEWLINE"
        for word in re.finditer(r"not|in" if t.type == "NOT_IN" else r"(?s).+", t)
    ]
    scanned = [(x.text, x.start) for x in scan(text) if x.kind not in ("newline", "comment")]
    assert scanned == parsed


def test_the_reserved_words_are_those_that_the_grammar_refuses_as_names() -> None:
    (refused,) = re.findall(r"NAME: /\(\?!\(\?:([a-z|]+)\)", GRAMMAR.read_text(encoding="utf-8"))
    assert set(refused.split("|")) == RESERVED


def test_each_kind_of_word() -> None:
    found = list(scan('# why\r\n\n\nconv 3x3 3x 1.5e-3 ... -> "a\\"b" é × "open\n'))
    assert [(x.kind, x.text) for x in found] == [
        ("comment", "# why\r"),
        ("newline", "\n\n\n"),
        ("word", "conv"),
        ("size", "3x3"),
        ("number", "3"),
        ("word", "x"),
        ("number", "1.5e-3"),
        ("mark", "..."),
        ("mark", "->"),
        ("text", '"a\\"b"'),
        ("word", "é"),
        ("foreign", "×"),
        ("unclosed", '"open'),
        ("newline", "\n"),
    ]
    assert found[3] == Lexeme("size", "3x3", 14) and found[3].end == 17


def test_nothing_but_space_is_passed_over() -> None:
    for seed in range(50):
        text = "".join(Random(seed).choices('ab1x."\\#{([ \t\r\n->=é\0', k=300))
        end = 0
        for lexeme in scan(text):
            assert not text[end : lexeme.start].strip(" \t\r")
            assert text.startswith(lexeme.text, lexeme.start)
            end = lexeme.end
        assert not text[end:].strip(" \t\r")


def test_words_are_counted_up_to_a_limit() -> None:
    text = "let a = 1 # one\n\n" * 10
    assert offset_beyond(text, 50) is None
    assert offset_beyond(text, 49) == text.rindex("one") + 2
    assert offset_beyond(text, 5) == text.index("let", 1) + 2
