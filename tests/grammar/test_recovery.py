"""After a mistake: one report for each broken statement, and the rest as if nothing had been."""

from __future__ import annotations

from collections.abc import Set
from itertools import combinations

import pytest

from compiler.driver import all_found, check_net, examine
from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.parse import parse
from grammar.recover import MOST_REPORTS
from grammar.source import Source

BROKEN = (
    "conv(64 3x3)",
    "relu ->",
    "let a = [1, 2",
    "for x inn y {\n        relu\n        tanh\n    }",
    "repeat 2\n        relu\n    }",
    "conv(8, 3x3\n        pad=1)",
    "a = = relu",
    "conv(8, 3×3)",
    'relu as "a{1 +}"',
    "if a { relu } else tanh",
    "conv(8,\n        3x3",
)


def body_of(text: str) -> tuple[s.Statement, ...]:
    (net,) = parse(Source("t", text)).file.items
    assert isinstance(net, s.Definition)
    return net.body.statements


def kinds(statements: tuple[s.Statement, ...]) -> list[str]:
    return [type(statement).__name__ for statement in statements]


def checked(text: str) -> list[Diagnostic]:
    """What is found in a file and its nets."""
    module = examine(Source("t", text))
    return all_found(module, map(check_net, module.nets()))


def messages(text: str) -> list[str]:
    return [diagnostic.message for diagnostic in checked(text)]


@pytest.mark.parametrize("written", BROKEN)
def test_a_broken_statement_is_one_report_and_its_neighbours_are_whole(written: str) -> None:
    text = f"net n {{\n    input x: f32[1]\n    {written}\n    output y\n}}\n"
    assert len(parse(Source("t", text)).diagnostics) == 1
    assert kinds(body_of(text)) == ["InputDeclaration", "Broken", "OutputDeclaration"]


@pytest.mark.parametrize("count", [2, 3])
def test_as_many_reports_as_mistakes_each_on_its_line(count: int) -> None:
    for chosen in combinations(BROKEN, count):
        lines = [line for written in chosen for line in ("relu", written)]
        text = "net n {\n    " + "\n    ".join([*lines, "tanh"]) + "\n}\n"
        found = parse(Source("t", text)).diagnostics
        assert len(found) == count, text
        assert kinds(body_of(text)) == ["Flow", "Broken"] * count + ["Flow"], text


def test_the_definitions_around_a_broken_one_are_whole() -> None:
    parsed = parse(Source("t", "block a { relu }\nblock b(x y) {\n    relu\n}\nnet c { relu }\n"))
    assert [type(item).__name__ for item in parsed.file.items] == [
        "Definition",
        "Broken",
        "Definition",
    ]
    broken = parsed.file.items[1]
    assert isinstance(broken, s.Broken)
    assert (broken.keyword, broken.names) == ("block", frozenset({"b"}))


@pytest.mark.parametrize(
    ("written", "keyword", "flows", "names"),
    [
        ("conv(w 3x3) as stem", "conv", True, {"conv", "w", "as", "stem"}),
        ('relu as "a{1 +}"', "relu", True, {"relu", "as", "a"}),
        ("let a = 1 +", "let", False, {"a"}),
        ("side = = relu", "=", False, {"side", "relu"}),
        ("output y z", "output", False, {"output", "y", "z"}),
        ("input y z", "input", False, {"input", "y", "z"}),
        ("if a relu", "if", True, {"a", "relu"}),
    ],
)
def test_a_broken_statement_says_what_it_may_have_done(
    written: str, keyword: str, flows: bool, names: Set[str]
) -> None:
    (broken,) = body_of(f"net n {{\n    {written}\n}}\n")
    assert isinstance(broken, s.Broken)
    assert (broken.keyword, broken.flows, broken.names) == (keyword, flows, names)
    assert broken.span.text == written


def test_nested_bodies_recover_by_themselves() -> None:
    text = "net n {\n  if a {\n    conv(1 1)\n    relu\n  }\n  add { relu; conv(, 1); tanh }\n}\n"
    branch, join = body_of(text)
    assert isinstance(branch, s.If) and kinds(branch.then.statements) == ["Broken", "Flow"]
    assert isinstance(join, s.Flow) and join.chain.stages[0].body
    assert kinds(join.chain.stages[0].body.statements) == ["Flow", "Broken", "Flow"]


def test_a_forgotten_brace_does_not_swallow_the_next_definition() -> None:
    text = "net a {\n    input x: f32[1]\n    repeat 2 {\n        relu\n    output y\n\nnet b {}\n"
    parsed = parse(Source("t", text))
    assert [d.message for d in parsed.diagnostics] == ["this `{` is never closed"]
    assert [i.name.id for i in parsed.file.items if isinstance(i, s.Definition)] == ["a", "b"]


def test_a_brace_too_many_is_one_report_for_all_that_it_cuts_off() -> None:
    text = (
        "net n {\n    input x: f32[1]\n    relu\n    }\n    tanh\n    output y\n}\nnet m { a b }\n"
    )
    assert messages(text) == [
        "only `use`, `let`, `block`, `net` and `train` stand outside a body",
        "a statement ends with a newline or `;`",
    ]


def test_reports_end_after_many_and_what_was_read_stays() -> None:
    text = "let a = 1\n" + "let = 2\n" * 100 + "net n { relu }\n"
    parsed = parse(Source("t", text))
    assert len(parsed.diagnostics) == MOST_REPORTS
    assert isinstance(parsed.file.items[0], s.Let)


# ── what the compiler makes of it ────────────────────────────────────────────────────────────

NET = "net n(w=8) {{\n    input x: f32[3, 32, 32]\n    {}\n    output y\n}}\n"


@pytest.mark.parametrize("written", BROKEN)
def test_a_broken_statement_breeds_no_other_report(written: str) -> None:
    use = "conv(stem, 3x3) -> maxpool(2x2) as p\n    concat(p, stem)\n    unit(8) like stem"
    text = NET.format(f"{written} as stem\n    {use}")
    assert len(checked(f"block unit(c) {{ conv(c, 1x1) }}\n{text}")) == len(
        parse(Source("t", text)).diagnostics
    )


def test_the_rest_of_a_net_with_a_broken_statement_is_checked() -> None:
    text = NET.format("conv(w, 7x7\n    side = x -> conv(1, 99x99)\n    in -> rleu")
    assert messages(text) == [
        "this `(` is never closed",
        "kernel is larger than its padded input",
        "unknown layer, block or tensor `rleu`",
    ]


def test_the_flow_is_known_again_after_a_shape_assertion() -> None:
    text = NET.format("conv(w 7x7)\n    relu : [8, 10, 10]\n    conv(1, 11x11)")
    assert messages(text) == [
        "arguments need a comma between them",
        "kernel is larger than its padded input",
    ]


@pytest.mark.parametrize(
    "written", ["let v = 1 +", "side = = relu", "assert 1 1", "expect params ="]
)
def test_the_flow_passes_by_what_does_not_change_it(written: str) -> None:
    assert messages(NET.format(f"{written}\n    conv(1, 99x99)"))[1:] == [
        "kernel is larger than its padded input"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "net n {\n    input x f32[3]\n    conv(8, 3x3)\n    output y\n}\n",
        "net n {\n    input x: f32[3, H, H]\n    assert H % 2 == = 0\n"
        "    maxpool(2x2) : [3, H // 2, H // 2]\n    output y\n}\n",
        "net n {\n    input x: f32[3, 8, 8]\n    output y 3\n}\n",
        "block b(x y) { relu }\nnet n {\n    input x: f32[3, 8, 8]\n    b(1, 2)\n    output y\n}\n",
        "let w = [1\nnet n {\n    input x: f32[3, w[0], 8]\n    conv(w[0], 1)\n    output y\n}\n",
        "block b { conv(1 1) }\nnet n {\n    input x: f32[3, 8, 8]\n    b -> relu as r\n"
        "    sub(r, x)\n    output y : [1, 8, 8]\n    expect params == 3\n}\n",
        "net m {\n    input x: f32[3\n    output y\n}\n"
        "net n {\n    input x: f32[3, 8, 8]\n    m\n    output y\n}\n",
        'use u from "nowhere\nnet n {\n    input x: f32[3, 8, 8]\n    u(3)\n    output y\n}\n',
    ],
)
def test_what_depends_on_the_broken_is_silent(text: str) -> None:
    assert len(checked(text)) == 1


def test_a_top_level_mistake_leaves_the_nets_to_be_checked() -> None:
    text = "let w = 1 / 0\n" + NET.format("conv(w, 3x3)\n    side = x -> conv(1, 99x99)")
    assert messages(text) == ["division by zero", "kernel is larger than its padded input"]


def test_a_net_without_the_mistake_is_checked_to_the_end() -> None:
    text = "net bad { a b }\n" + NET.format("conv(w, 3x3)\n    expect params == 1")
    assert [d.code for d in checked(text)] == ["E101", "E402"]


@pytest.mark.parametrize(
    "line",
    [
        "conv(8,: 3x3)",
        'conv(8, 3x3, pad=1, :pad_mode="mirror")',
        "conv(3,-> 3x3) as first",
        "add(x,\n        for, x)",
    ],
)
def test_a_bracket_that_is_closed_is_not_said_to_be_open(line: str) -> None:
    text = f"net n {{\n    input x: f32[3, 32, 32]\n    {line}\n    output y\n}}\n"
    codes = [d.code for d in parse(Source("t", text)).diagnostics]
    assert codes == ["E101"]


def test_a_brace_that_a_broken_statement_took_along_is_not_said_to_be_open() -> None:
    text = "net n {if\n    input x: f32[3, 32, 32]\n    relu\n    output y\n}\n"
    assert [d.code for d in parse(Source("t", text)).diagnostics] == ["E101"]
