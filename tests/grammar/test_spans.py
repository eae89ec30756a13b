"""Where each node stands in the text, exactly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from grammar import syntax as s
from grammar.parse import parse, parse_expression
from grammar.source import STRIDE, Source
from tests.grammar.nodes import nodes

SHIPPED = sorted((Path(__file__).parents[2] / "netdefs").glob("*.netdef"))
CONTEXTS = (
    "{}",
    "let x = {}",
    "let x, {} = 1",
    "let x = [1 {}]",
    "net n {{\n{}\n}}",
    "net n {{ relu : {} }}",
    "net n {{ relu : [{}] }}",
    "net n {{ relu({}) }}",
    "net n {{ output y {} }}",
    "block b({}) {{ relu }}",
    "block b {}",
    "train t {{\n{}\n}}",
    "train t {{ report {} }}",
    "train t {{ data {} }}",
)
FORMS = [kind for kind in s.Syntax.__subclasses__() if kind not in (s.Broken, s.Given)]


@pytest.mark.parametrize("kind", FORMS, ids=lambda kind: kind.__name__)
def test_the_line_that_documents_a_class_parses_to_it_and_is_all_of_it(kind: type) -> None:
    assert kind.__doc__
    for line in re.findall(r"`([^`]+)`", kind.__doc__.split(":")[0] or kind.__doc__):
        written = line.replace("…", "relu")
        parsed = (parse(Source("t", context.format(written))) for context in CONTEXTS)
        found = [node for p in parsed if not p.diagnostics for node in nodes(p.file)]
        assert written in [node.span.text for node in found if isinstance(node, kind)], written


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_text_of_an_expression_is_that_expression(path: Path) -> None:
    file = parse(Source(path.name, path.read_text(encoding="utf-8"))).whole()
    seen = set()
    for node in nodes(file):
        if isinstance(node, get_args(s.Expression)) and node.span.text not in seen:
            seen.add(node.span.text)
            if not isinstance(node, s.Text) or node.span.text.startswith('"'):  # not a bare label
                assert parse_expression(node.span.text) == node


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nodes_lie_inside_their_parents_and_have_no_space_around_them(path: Path) -> None:
    file = parse(Source(path.name, path.read_text(encoding="utf-8"))).whole()
    for node in nodes(file):
        assert node.span.text == node.span.text.strip()
        for part in nodes(tuple(vars(node).values())):
            assert node.span.start <= part.span.start <= part.span.end <= node.span.end


def test_parentheses_belong_to_what_is_around_them() -> None:
    product = parse_expression("(a + b) * (c)")
    assert isinstance(product, s.Binary)
    assert product.span.text == "(a + b) * (c)"
    assert (product.left.span.text, product.right.span.text) == ("a + b", "c")


def test_an_expression_in_a_string_has_its_place_in_the_file() -> None:
    source = Source("t", 'net n {\n    relu as "a\\n{b + 1}"\n}')
    names = [n for n in nodes(parse(source).whole()) if isinstance(n, s.Name) and n.id == "b"]
    assert [(n.span.line, n.span.column, n.span.text) for n in names] == [(2, 18, "b")]


def test_lines_and_columns_count_from_one_in_texts_of_any_length() -> None:
    line = "x" * 9 + "\n"
    source = Source("t", line * (STRIDE // 5) + "end")
    lines = STRIDE // 5 + 1
    assert source.position(0) == (1, 1)
    assert source.position(9) == (1, 10)
    assert source.position(10) == (2, 1)
    assert source.position(len(source.text)) == (lines, 4)
    for number in (1, 2, STRIDE // 10 - 1, STRIDE // 10, STRIDE // 10 + 1, lines - 1):
        start = source.line_start(number)
        assert (start, source.position(start)) == ((number - 1) * 10, (number, 1))
        assert source.line(number) == "x" * 9
    assert source.line(lines) == "end"


def test_places_are_found_in_lines_longer_than_a_stride() -> None:
    text = "ab\n" + "c" * 3 * STRIDE + "\n\n" + "d" * (STRIDE - 7) + "\ne"
    source = Source("t", text)
    for offset in (0, 2, 3, STRIDE, 2 * STRIDE + 5, 3 * STRIDE + 3, 3 * STRIDE + 5, len(text)):
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        assert source.position(offset) == (line, column)


def test_the_end_of_a_span_over_lines_is_just_after_it() -> None:
    source = Source("t", "net n {\n    relu\n}\n")
    (net,) = parse(source).whole().items
    assert net.span.last == (3, 2)
    assert repr(net.span) == "<t:1:1>"
