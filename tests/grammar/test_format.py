"""The formatter: idempotent, faithful, in the house style."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from grammar import syntax as s
from grammar.format import format_source, print_file
from grammar.lexemes import scan
from grammar.parse import parse
from grammar.source import Source
from tests import strategies

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "netdefs").glob("*.netdef"))
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
@settings(SLOW, max_examples=150)
def test_any_text_is_formatted_faithfully(text: str) -> None:
    check_faithful(text)


@given(strategies.files())
@settings(SLOW, max_examples=150)
def test_a_printed_tree_parses_to_the_same_tree(file: s.File) -> None:
    assert tree(print_file(file)) == file.items
