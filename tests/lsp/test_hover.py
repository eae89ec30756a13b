"""What the editor says about the word under the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.lsp.hover import hover
from netc.lsp.project import Project
from tests.lsp.texts import HALVES, alone, file_of, folder, marked


def said(text: str, project: Project | None = None) -> str:
    analysis, offset = marked(text)
    found = hover(project or alone(), analysis, offset)
    return "" if found is None else found.text


def test_an_op_has_its_signature_its_formula_with_numbers_and_its_parameters() -> None:
    text = said(HALVES.replace("conv(", "co|nv("))
    assert text.index("conv(channels, kernel") < text.index("`[3, 8, 8]` → `[4, 8, 8]` in first")
    assert "(the first of 3 calls)" in text
    assert "height and width: floor((8 + 1 + 1 - 3)/1) + 1 = 8" in text
    assert "| `stride` |" in text


def test_a_block_has_its_signature_its_comment_and_what_it_costs() -> None:
    text = said(HALVES.replace("unit(4)", "un|it(4)"))
    assert "block unit(c, stride=1)" in text
    assert "A convolution that may halve the map." in text
    assert "`[3, 8, 8]` → `[4, 8, 8]`" in text
    assert "112 parameters, 6,912 MACs" in text


SHAPED = "net n {\ninput x: f32[3, 8, 8]\ns = gap -> flatten\noutput y = relu\n}\n"
MEASURED = "net n {\ninput x: f32[3, 8, 8]\nrelu\noutput y\nexpect depth == len([])\n}\n"
OPEN = "net n {\ninput x: f32[3, H, 8]\nassert H % 4 == 0\nconv(2, 5)\noutput y\n}\n"
WORDS = {
    "a keyword of an op": (HALVES, "pa|d=1", "Pixels added around the input"),
    "its default": (HALVES, "pa|d=1", "By default `0`."),
    "a keyword of a block": (HALVES, "str|ide=2", "stride=1"),
    "a label": (HALVES, "as fir|st", "`[4, 8, 8]`"),
    "a named chain": (SHAPED, "|s =", "`[3]`"),
    "an input": (SHAPED, "|x:", "`[3, 8, 8]`"),
    "an output": (SHAPED, "|y =", "`[3, 8, 8]`"),
    "a measure": (MEASURED, "de|pth", "longest path"),
    "a function": (MEASURED, "l|en", "len(list)"),
    "a size of a tensor": (SHAPED.replace("relu", "conv(x.c, 1)"), "x.|c", "Channels."),
    "a net's totals": (OPEN, "net |n", "152 parameters"),
    "a net's domain": (OPEN, "net |n", "`H % 4 == 0`"),
    "a symbol's domain": (OPEN, "|H, 8", "`H >= 8`, `H % 4 == 0`"),
}


@pytest.mark.parametrize(("text", "place", "wanted"), WORDS.values(), ids=WORDS.keys())
def test_a_word_has_its_meaning(text: str, place: str, wanted: str) -> None:
    assert wanted in said(text.replace(place.replace("|", ""), place))


def test_a_value_shows_the_line_that_defines_it() -> None:
    text = "let width = 3\nnet n {\ninput x: f32[3, 8, 8]\nconv(|width, 1)\noutput y\n}\n"
    assert "let width = 3" in said(text)


def test_in_is_what_entered_the_block() -> None:
    text = HALVES.replace("conv(c, 3x3", "conv(i|n.c, 3x3")
    assert "[3, 8, 8]" in said(text)


def test_a_stage_with_a_mistake_says_what_flowed_in() -> None:
    text = "net n {\ninput x: f32[3, 8, 8]\nco|nv(4, 99)\noutput y\n}\n"
    assert "Input `[3, 8, 8]`; no output" in said(text)


def test_after_a_mistake_elsewhere_the_formula_is_still_there() -> None:
    text = "net n {\ninput x: f32[3, 8, 8]\nco|nv(4, 3) -> conv(4, 99)\noutput y\n}\n"
    assert "floor((8 + 0 + 0 - 3)/1) + 1 = 6" in said(text)


def test_a_block_of_another_file_has_its_comment(tmp_path: Path) -> None:
    project = folder(
        tmp_path,
        blocks="# Twice as many maps.\nblock twice() { conv(2 * in.c, 1) }\n",
        main='use twice from "blocks.netdef"\nnet n { input x: f32[3, 8]\ntwice()\noutput y }\n',
    )
    main = file_of(project, tmp_path, "main").source
    text = main.text.replace("twice()", "tw|ice()")
    analysis, offset = marked(text, main.path)
    found = hover(project, analysis, offset)
    assert found is not None and "Twice as many maps." in found.text
    assert "→ `[6, 8]`" in found.text


def test_nothing_is_said_of_blank_space_and_unknown_words() -> None:
    assert said("|\n" + HALVES) == ""
    assert said("net n { input x: f32[3]\nfr|ob\noutput y }\n") == ""


def test_an_argument_without_a_name_is_the_parameter_it_is_for() -> None:
    assert "Kernel size" in said(HALVES.replace("3x3", "3|x3"))
    assert "Pixels added around the input" in said(HALVES.replace("pad=1", 'pad="sa|me"'))
    assert "netdef\nc\n" in said(HALVES.replace("unit(4)", "unit(|4)"))
    assert said(HALVES.replace("repeat 2", "repeat |2")) == ""


def test_a_block_and_its_parameters_have_their_first_call() -> None:
    for place in ("block un|it", "unit(c|", "str|ide=1"):
        text = said(HALVES.replace(place.replace("|", ""), place))
        assert "First called in first: unit(4), line 8" in text
    assert "First" not in said("block a|b(c) { conv(c, 1) }\n")


def test_a_name_of_another_file_says_which(tmp_path: Path) -> None:
    project = folder(tmp_path, a="let width = 4\n", main='use width from "a.netdef"\n')
    main = file_of(project, tmp_path, "main").source
    analysis, offset = marked(main.text.replace("width", "wid|th"), main.path)
    found = hover(project, analysis, offset)
    assert found is not None and "From `a.netdef`." in found.text


def test_what_the_shapes_say_is_not_said_again() -> None:
    assert " makes " not in said(HALVES.replace("relu", "re|lu"))
