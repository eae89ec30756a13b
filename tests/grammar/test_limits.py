"""Texts that are far too long or deep: a located report, or a tree, and never an exception."""

from __future__ import annotations

import pytest

from compiler.driver import all_found, check_net, examine
from grammar.diagnostics import render
from grammar.parse import MOST_WORDS, parse, parse_expression
from grammar.source import Source

MANY = 100_000
NET = "net n {{\n    input x: f32[1, 8, 8]\n    {}\n    output y\n}}\n"

TOO_MUCH = {
    "nested parentheses": "let a = " + "(" * 20_000 + "1" + ")" * 20_000,
    "nested parentheses by the hundred thousand": "let a = " + "(" * MANY + "1" + ")" * MANY,
    "nested lists in a net": NET.format("let a = " + "[" * 500 + "]" * 500),
    "nested braces": "net n " + "{" * 30_000 + "}" * 30_000,
    "nested blocks that are never closed": "net n { " + "if a { " * 20_000,
    "a number": "let a = " + "9" * 5000,
    "a size": "let a = 3x" + "9" * 5000,
    "a sum": "let a = 1" + "+1" * 20_000,
    "a sum by the hundred thousand": "let a = 1" + "+1" * MANY,
    "signs": "let a = " + "- " * 20_000 + "1",
    "negations": "let a = " + "not " * 20_000 + "true",
    "powers": "let a = 2" + "**2" * 20_000,
    "conditionals": "let a = " + "1 if b else " * 10_000 + "2",
    "indices": "let a = b" + "[0]" * 10_000,
    "attributes": "let a = b" + ".c" * 10_000,
    "calls": "let a = b" + "()" * 10_000,
    "conditions": NET.format("if a { relu }" + " else if a { relu }" * 10_000),
    "expressions in a string": 'let a = "' + "{a}" * 100_000 + '"',
    "words on a line": "let a = [" + "1, " * 400_000 + "]",
    "words on 16 MiB of lines": NET.format("conv(64, 3x3) -> relu\n    " * 640_000),
    "comments": "# more\n" * (16 * 2**20 // 7),
    "opening brackets": "(" * 2**20,
    "quotes": '"' * 2**20,
    "a string that is never closed": 'let a = "' + "\\" * 2**20,
    "zero bytes": "\0" * 2**20,
    "digits": "9" * 2**20,
    "a word": "x" * 2**20,
    "sizes": "let a = " + "1x" * 2**20,
}
FINE = {
    "a long list": "let a = [" + "1, " * (MOST_WORDS // 4) + "]",
    "a long string": 'let a = "' + "a" * 2**20 + '"',
    "a long comment": "# " + "a" * 2**24,
    "16 MiB of empty lines": "\n" * 2**24,
    "tabs": "\t" * 2**20 + "let a = 1",
    "comments before an arrow": NET.format("relu\n" + "#\n" * 50_000 + "-> relu"),
    "comments in brackets": "let a = [1,\n" + "#\n" * 50_000 + "2]",
    "blank lines before an arrow": NET.format("relu" + "\n" * 50_000 + "-> relu"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_reported_in_its_place(name: str) -> None:
    source = Source("t", TOO_MUCH[name])
    found = parse(source).diagnostics
    assert found and all(d.code in ("E101", "E102", "E103", "E104") for d in found)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start < diagnostic.span.end <= len(source.text)
        assert len(render(diagnostic)) < 1000


@pytest.mark.parametrize("name", FINE)
def test_what_is_only_long_is_fine(name: str) -> None:
    assert parse(Source("t", FINE[name])).diagnostics == ()


def test_the_deepest_brackets_that_are_allowed_can_be_compiled() -> None:
    deep = "(" * 90 + "1" + ")" * 90
    module = examine(Source("t", NET.format(f"conv({deep}, {deep})")))
    assert all_found(module, map(check_net, module.nets())) == []


def test_the_rest_of_a_file_is_read_after_what_is_too_deep() -> None:
    text = NET.format("let a = " + "(" * 500 + ")" * 500 + "\n    conv(1 1)")
    assert [d.code for d in parse(Source("t", text)).diagnostics] == ["E104", "E101"]


def test_the_first_word_too_many_is_the_one_that_is_told() -> None:
    text = "let a = [" + "1, " * (MOST_WORDS // 2) + "]"
    (only,) = parse(Source("t", text)).diagnostics
    words_before = text[: only.span.start].replace(",", " ,").replace("[", "[ ").split()
    assert len(words_before) == MOST_WORDS


@pytest.mark.parametrize(
    "text", ["(" * 500, "9" * 5000, "- " * 500 + "1", '"{1 +}"', "", "1 +", "×"]
)
def test_a_value_of_the_command_line_that_is_none_is_reported(text: str) -> None:
    with pytest.raises(Exception, match=r"value:1:\d+") as error:
        parse_expression(text)
    assert type(error.value).__name__ == "DefinitionError"
