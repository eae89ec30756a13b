"""Diagnostics at a place of the open text, and their fixes."""

from __future__ import annotations

from pathlib import Path

from netc.lsp.problems import Problem, problems
from tests.lsp.texts import analysed


def found(text: str, path: Path | None = None) -> list[Problem]:
    return problems(analysed(text, path))


def mended(text: str, title: str) -> str:
    """The text after the fix of this title."""
    fixes = [fix for problem in found(text) for fix in problem.fixes if fix.title == title]
    assert len(fixes) == 1, [fix.title for problem in found(text) for fix in problem.fixes]
    (fix,) = fixes
    return text[: fix.span.start] + fix.text + text[fix.span.end :]


def test_the_message_has_all_that_the_terminal_prints() -> None:
    (problem,) = found("net n {\ninput x: f32[3, 8, 8]\nconv(4, 9)\noutput y\n}\n")
    lines = problem.message.splitlines()
    assert lines[0] == "kernel is larger than its padded input"
    assert "9 along height, but the padded input has 8" in lines
    assert "input: [3, 8, 8], from input x at line 2" in lines
    assert lines[-1].startswith("help: ")


def test_the_calls_that_led_there_are_related() -> None:
    text = "block b(k) { conv(4, k) }\nnet n {\ninput x: f32[3, 8, 8]\nb(9)\noutput y\n}\n"
    (problem,) = found(text)
    assert problem.span.line == 1
    assert [(span.line, said) for span, said in problem.related] == [(4, "in b1: b(9), line 4")]


def test_a_mistake_inside_a_used_file_stands_at_the_call_that_leads_there(tmp_path: Path) -> None:
    (tmp_path / "blocks.netdef").write_text("block b(k) { conv(4, k) }\n")
    text = 'use b from "blocks.netdef"\nnet n {\ninput x: f32[3, 8, 8]\nb(9)\noutput y\n}\n'
    (problem,) = found(text, (tmp_path / "main.netdef").resolve())
    assert (problem.span.text, problem.span.line) == ("b(9)", 4)
    place, said = problem.related[0]
    assert (place.source.name, said) == ("blocks.netdef", "kernel is larger than its padded input")


def test_a_used_file_that_does_not_parse_is_reported_at_its_use(tmp_path: Path) -> None:
    (tmp_path / "good.netdef").write_text("block a() { relu }\n")
    (tmp_path / "bad.netdef").write_text("block b( { relu }\n")
    text = 'use a from "good.netdef"\nuse b from "bad.netdef"\n'
    problem = found(text, (tmp_path / "main.netdef").resolve())[0]
    assert problem.span.text == '"bad.netdef"'
    assert problem.related[0][0].source.name == "bad.netdef"


def test_a_misspelt_name_is_mended() -> None:
    text = "net n {\ninput x: f32[3]\nrelo\noutput y\n}\n"
    assert mended(text, "replace with `relu`") == text.replace("relo", "relu")


def test_an_open_proof_is_mended_by_an_assertion_below_the_inputs() -> None:
    text = "net n {\n    input x: f32[1, H]  # a wave\n    a = maxpool(2) -> upsample(2)\n"
    text += "    add(a, in)\n    output y\n}\n"
    line = "    assert H % 2 == 0\n"
    fixed = mended(text, "add `assert H % 2 == 0` at line 2")
    assert fixed == text.replace("a wave\n", "a wave\n" + line)
    assert found(fixed) == []


def test_in_a_net_of_one_line_the_assertion_follows_a_semicolon() -> None:
    text = "net n { input x: f32[1, H]; maxpool(2) -> upsample(2) : [1, H]; output y }\n"
    fixed = mended(text, "add `assert H % 2 == 0`")
    assert "f32[1, H]; assert H % 2 == 0; maxpool" in fixed
    assert found(fixed) == []


def test_a_wrong_shape_is_mended_where_it_is_asserted_or_made() -> None:
    text = "net n {\ninput x: f32[3, 8, 8]\nconv(4, 3) : [4, 8, 8]\noutput y\n}\n"
    assert found(mended(text, "assert the shape it has")) == []
    assert found(mended(text, "pad=1")) == []


def test_a_fix_elsewhere_says_its_line() -> None:
    text = "net n {\ninput x: f32[3, 8, 8]\nconv(4, 3)\nrelu : [4, 8, 8]\noutput y\n}\n"
    titles = [fix.title for problem in found(text) for fix in problem.fixes]
    assert "pad=1 at line 3" in titles


def test_definitions_that_come_with_netc_are_not_mended() -> None:
    text = 'use basic from "resnet.netdef"\nnet n { input x: f32[3, 8, 8]\nbasic(3.5)\noutput y }\n'
    assert all(fix.span.source.name == "t.netdef" for p in found(text) for fix in p.fixes)


def test_a_warning_is_allowed_by_a_comment_on_its_line() -> None:
    text = "block b(k) { relu }  # a comment\nnet n {\ninput x: f32[3]\nb(9)\noutput y\n}\n"
    fixed = mended(text, "allow W105 on this line")
    assert fixed.startswith("block b(k) { relu }  # a comment  # netc: allow W105\n")
    assert found(fixed) == []


def test_a_second_warning_joins_the_first_in_its_comment() -> None:
    text = "block b(k) { relu }  # netc: allow W104\n"
    text += "net n {\ninput x: f32[3]\nb(9)\noutput y\n}\n"
    assert "# netc: allow W104, W105\n" in mended(text, "allow W105 on this line")


def titles(body: str, shape: str = "[3, 8, 8]") -> list[str]:
    text = f"net n {{\n    input x: f32{shape}\n    {body}\n    output y\n}}\n"
    return [fix.title for problem in found(text) for fix in problem.fixes]


def test_what_a_help_line_names_can_be_chosen() -> None:
    assert titles("conv(4, 9)") == ["kernel=8x8", "pad=1"]
    assert titles("maxpool(2)\n    conv(4, 5)") == [
        "input 10 instead of 8 at line 2",
        "kernel=4x4",
        "pad=1",
    ]
    assert titles("conv(4, 3, groups=2)") == ["groups=1"]
    assert titles("lrn(4)") == ["size=3", "size=5"]
    assert titles("for i in 3 { relu }") == ["write range(3)"]


def test_a_layer_is_put_before_another_only_in_a_chain() -> None:
    assert titles("dense(10)") == ["add `flatten` before it"]
    assert titles("fc = dense(x, 10)\n    fc -> relu") == []


def test_an_argument_of_a_block_stays_as_it_is() -> None:
    """Other calls of the block may need it so."""
    block = "block b(k) { conv(4, k) }\n"
    text = f"{block}net n {{\n    input x: f32[3, 8, 8]\n    b(9)\n    output y\n}}\n"
    assert [f.title for p in found(text) for f in p.fixes] == ["pad=1"]
