"""The formatter: idempotent, faithful, in the house style."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from grammar import syntax as s
from grammar.diagnostics import DefinitionError
from grammar.format import format_source, print_file
from grammar.format.lines import WIDTH
from grammar.lexemes import scan
from grammar.parse import parse
from grammar.source import Source
from tests import strategies

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "netdefs").glob("*.netdef"))
STYLE = sorted((Path(__file__).parent / "style").glob("*.before"))  # each with its .after
SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def formatted(text: str) -> str:
    return format_source(Source("test.netdef", text))


def tree(text: str) -> tuple[s.Item, ...]:
    return parse(Source("test.netdef", text)).whole().items


def comments(text: str) -> Counter[str]:
    return Counter(lexeme.text.rstrip() for lexeme in scan(text) if lexeme.kind == "comment")


def check_faithful(text: str) -> None:
    """A text keeps its meaning and its comments, and is formatted once and for all."""
    result = formatted(text)
    assert tree(result) == tree(text)
    assert comments(result) == comments(text)
    assert formatted(result) == result
    assert "\n\n\n\n" not in result and not any(
        line != line.rstrip() for line in result.split("\n")
    )


@given(strategies.sources())
@settings(SLOW, max_examples=60)
def test_any_text_is_formatted_faithfully(text: str) -> None:
    check_faithful(text)


def test_a_target_stays_behind_one_on_several_lines_whatever_follows_it() -> None:
    long, name = "x" * 45, "a_value_with_quite_a_long_name"
    targets = f"(\né\n,\né\n,\né\n)\n,(é\n,é\n,{long}\n)"
    check_faithful(f"let (\né\n,\né\n) =[\nfalse\nfor\n{targets}\nin\n0\nif\n{name}\n]\n")


@given(strategies.files())
@settings(SLOW, max_examples=60)
def test_a_printed_tree_parses_to_the_same_tree(file: s.File) -> None:
    assert tree(print_file(file)) == file.items


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_definition_in_any_layout_is_formatted_faithfully(path: Path) -> None:
    for seed in range(2):
        check_faithful(strategies.scattered(path.read_text(encoding="utf-8"), Random(seed)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_definition_is_faithful_and_near_what_its_author_wrote(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    check_faithful(text)
    changed = Counter(formatted(text).splitlines()) - Counter(text.splitlines())
    assert changed.total() <= 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_definition_can_be_printed_from_its_tree(path: Path) -> None:
    file = parse(Source(path.name, path.read_text(encoding="utf-8"))).whole()
    assert tree(print_file(file)) == file.items


@pytest.mark.parametrize("path", STYLE, ids=lambda path: path.stem)
def test_the_style(path: Path, bless: bool) -> None:
    before, after = path.read_text(encoding="utf-8"), path.with_suffix(".after")
    if bless:
        after.write_text(formatted(before), encoding="utf-8")
    assert formatted(before) == after.read_text(encoding="utf-8")
    check_faithful(before)


def test_nothing_stays_nothing() -> None:
    assert formatted("") == formatted("\n\n") == ""


LONG = "a_name_of_thirty_two_characters_"


@pytest.mark.parametrize(
    "line",
    [
        f"conv({LONG}, 3x3) -> conv({LONG}, 3x3) -> conv({LONG}, 3x3) as stem : [64, 56, 56]",
        f"unit({LONG}, {LONG}, {LONG}, {LONG}, stride = 1 + {LONG}) -> relu",
        f"let a = [{LONG}, {LONG}, [{LONG}, 2, 3], {LONG}]",
        f"let a = ({LONG} + {LONG} * {LONG} if {LONG} else {LONG})",
        f"if {LONG} {{ conv({LONG}, 1) }} else {{ conv({LONG}, 3x3) -> relu }}",
        f"for k in [{LONG}, {LONG}] {{ conv({LONG}, k) -> conv({LONG}, k) }}",
        f"input x: f32[3, 224, 224] from picture(resize={LONG}, crop={LONG}, mean=[{LONG}])",
        f"expect params == {LONG}, macs == {LONG}, depth == {LONG}",
        f'assert {LONG} % 32 == 0 and {LONG} == 0, "{LONG} {LONG}"',
        f"concat({LONG}, add({LONG}, {LONG}, {LONG}), {LONG})",
    ],
)
def test_what_is_too_long_is_broken_at_a_sensible_place(line: str) -> None:
    text = f"net n {{\n    {line}\n}}\n"
    result = formatted(text)
    assert max(map(len, result.splitlines())) <= WIDTH
    check_faithful(text)


def test_a_chain_is_broken_before_its_arrows() -> None:
    chain = " -> ".join(["conv(64, 3x3, pad=1)", "bn", "relu"] * 4)
    lines = formatted(f"net n {{ {chain} }}").splitlines()
    assert [line[:10].rstrip() for line in lines] == ["net n {", "    conv(6", "        ->", "}"]


def test_a_broken_file_is_not_formatted() -> None:
    with pytest.raises(DefinitionError):
        formatted("net n { conv(1 1) }")


def test_what_was_broken_is_not_printed() -> None:
    with pytest.raises(ValueError, match="broken"):
        print_file(parse(Source("t", "let a = ")).file)


def test_a_string_in_a_string_is_not_printed() -> None:
    inner = s.Text(strategies.NOWHERE, ("a",))
    name = s.Name(strategies.NOWHERE, "a")
    outer = s.Let(strategies.NOWHERE, (name,), s.Text(strategies.NOWHERE, (inner,)))
    with pytest.raises(ValueError, match="string"):
        print_file(s.File(strategies.NOWHERE.source, (outer,)))


LONG = 'conv(16, 1x1) as "a_long_label_to_fill" -> gelu -> conv(8, 1x1) as "{}"; identity'.format(
    "another_long_label_to_fill_the_line"
)


@pytest.mark.parametrize(
    "body",
    [
        f"add {{ {LONG} }}",
        'concat {; conv(8, 3x3, pad="same", stride=1)\n    -> conv(1*1, 3x3, pad="same"); '
        'identity -> conv(c0 - c0 + 2, 3, pad="same", init="xavier") -> conv(1, 3x3, '
        'pad="same_lower", init="xavier"); prelu; } as "b"',
        'relu\n\tconv(((3)))as"in1";conv(4+0,pad="same",stride=1)->upsample(2,mode="bilinear")->avgpool(2);relu',
    ],
)
def test_a_statement_of_several_lines_is_followed_by_none_on_its_last(body: str) -> None:
    once = format_source(
        Source("t", f"net n {{\n    input x: f32[8, 4, 4]\n    {body}\n    output y\n}}\n")
    )
    assert format_source(Source("t", once)) == once
