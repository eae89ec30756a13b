"""Definitions, references and renaming, in one file and across files."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.lsp.project import ParsedText, Project
from netc.lsp.rename import RenameRefused, rename, renamed_at
from tests.lsp.texts import HALVES, alone, file_of, folder, marked

BLOCKS = """\
# Twice as many maps.
block twice(stride=1) { conv(2 * in.c, 3, stride=stride) }
let width = 4
"""
MAIN = """\
use twice, width from "blocks.netdef"
net n {
    input x: f32[3, 32]
    conv(width, 1)
    twice(stride=2)
    output y
}
"""
OTHER = 'use twice from "blocks.netdef"\nnet m { input x: f32[3, 32]\n twice()\n output y }\n'


def opened(text: str) -> tuple[Project, ParsedText, int]:
    analysis, offset = marked(text)
    project = alone()
    return project, project.text_of(analysis), offset


def definitions(text: str) -> list[str]:
    """Where the name at the mark is defined: kind and line."""
    project, here, offset = opened(text)
    place = here.names.at(offset)
    assert place is not None
    homes = project.homes(here, place)
    return [f"{h.definition.kind} {h.definition.span.line}" for h in homes]


def renamed(text: str, new: str) -> str:
    """The text with the name at the mark changed everywhere."""
    project, here, offset = opened(text)
    result = here.source.text
    for edit in sorted(rename(project, here, offset, new), key=lambda e: -e.span.start):
        result = result[: edit.span.start] + edit.text + result[edit.span.end :]
    return result


def test_a_definition_in_the_same_file() -> None:
    assert definitions(HALVES.replace("unit(4)", "un|it(4)")) == ["block 2"]
    assert definitions(HALVES.replace("stride=2", "str|ide=2")) == ["parameter 2"]


def test_a_definition_is_its_own_home() -> None:
    assert definitions(HALVES.replace("block unit", "block un|it")) == ["block 2"]


def test_a_used_name_is_defined_in_its_own_file(tmp_path: Path) -> None:
    project = folder(tmp_path, blocks=BLOCKS, main=MAIN)
    main = file_of(project, tmp_path, "main")
    for word in ("twice", "width", "stride"):
        place = main.names.at(main.source.text.rindex(word))
        assert place is not None
        (home,) = project.homes(main, place)
        assert home.text.source.name == "blocks.netdef"
        assert home.definition.name == word


def test_a_name_used_on_through_a_file_is_followed(tmp_path: Path) -> None:
    project = folder(
        tmp_path, a="block b() { relu }\n", b='use b from "a.netdef"\n', c='use b from "b.netdef"\n'
    )
    text = file_of(project, tmp_path, "c")
    (home,) = project.homes(text, text.names.definitions[0])
    assert home.text.source.name == "a.netdef"


def test_files_that_use_each_other_in_a_circle_have_no_home(tmp_path: Path) -> None:
    project = folder(tmp_path, a='use b from "c.netdef"\n', c='use b from "a.netdef"\n')
    text = file_of(project, tmp_path, "a")
    assert project.homes(text, text.names.definitions[0]) == []


def test_the_references_of_a_name_in_every_file(tmp_path: Path) -> None:
    project = folder(tmp_path, blocks=BLOCKS, main=MAIN, other=OTHER)
    main = file_of(project, tmp_path, "main")
    place = main.names.at(MAIN.index("twice(stride"))
    assert place is not None
    (home,) = project.homes(main, place)
    found = [(t.source.name, s.line) for t, s in project.occurrences(home, main)]
    assert found == [
        ("blocks.netdef", 2),
        ("main.netdef", 1),
        ("main.netdef", 5),
        ("other.netdef", 1),
        ("other.netdef", 3),
    ]


def test_renaming_a_block_changes_its_calls() -> None:
    text = renamed(HALVES.replace("unit(4)", "un|it(4)"), "cell")
    assert text == HALVES.replace("unit", "cell")


def test_renaming_a_parameter_changes_keywords_but_not_those_of_ops() -> None:
    text = renamed(HALVES.replace("block unit(c, stride", "block unit(c, str|ide"), "step")
    assert "block unit(c, step=1)" in text
    assert "conv(c, 3x3, stride=step, pad=1)" in text
    assert "unit(8, step=2)" in text


def test_renaming_a_label_keeps_its_quotes() -> None:
    text = 'net n {\ninput x: f32[3]\nrelu as "a|b"\nconcat("ab", ab)\noutput y\n}\n'
    assert renamed(text, "cd") == text.replace("|", "").replace("ab", "cd")


def test_renaming_reaches_both_branches_of_an_if() -> None:
    text = (
        "net n {\ninput x: f32[3]\nif 1 == 1 { relu as a } else { tanh as |a }\n"
        "concat(a, x)\noutput y\n}\n"
    )
    assert renamed(text, "b") == text.replace("|", "").replace(" a ", " b ").replace("(a,", "(b,")


def test_renaming_a_parameter_reaches_the_blocks_passed_in_its_place() -> None:
    text = (
        "block a(c, step=1) { conv(c, 1) }\nblock b(c, step=1) { conv(c, 1) }\n"
        "block outer(unit) { unit(4, step=2) }\n"
        "net n { input x: f32[3, 8]\nouter(a) -> outer(b)\noutput y }\n"
    )
    marked_text = text.replace("unit(4, step", "unit(4, st|ep")
    assert renamed(marked_text, "stride") == text.replace("step", "stride")


def test_renaming_changes_every_file(tmp_path: Path) -> None:
    project = folder(tmp_path, blocks=BLOCKS, main=MAIN, other=OTHER)
    main = file_of(project, tmp_path, "main")
    edits = rename(project, main, MAIN.index("twice(stride"), "double")
    assert sorted((e.span.source.name, e.span.line) for e in edits) == [
        ("blocks.netdef", 2),
        ("main.netdef", 1),
        ("main.netdef", 5),
        ("other.netdef", 1),
        ("other.netdef", 3),
    ]
    keyword = rename(project, main, MAIN.index("stride=2"), "step")
    assert sorted((e.span.source.name, e.span.line) for e in keyword) == [
        ("blocks.netdef", 2),
        ("blocks.netdef", 2),
        ("main.netdef", 5),
    ]


@pytest.mark.parametrize(
    ("text", "new", "why"),
    [
        (HALVES.replace("unit(4)", "un|it(4)"), "3x", "is no name"),
        (HALVES.replace("unit(4)", "un|it(4)"), "repeat", "is no name"),
        (HALVES.replace("unit(4)", "un|it(4)"), "a.b", "is no name"),
        (HALVES.replace("unit(4)", "un|it(4)"), "conv", "is the name of an op"),
        (HALVES.replace("as first", "as fir|st"), "image", "means something else"),
        (HALVES.replace("conv(c,", "co|nv(c,"), "x", "is not defined"),
        (HALVES.replace("(c, 3x3", "(c, 3|x3"), "x", "no name here"),
        ('net n { input x: f32[3]\nrelu as "a|{1}"\noutput y }\n', "x", "interpolation"),
        (HALVES.replace("(c, 3x3", "(i|n.c, 3x3"), "x", "is not defined"),
    ],
)
def test_a_renaming_that_would_break_something_is_refused(text: str, new: str, why: str) -> None:
    text = text.replace("    output y", "    concat(first, image)\n    output y")
    with pytest.raises(RenameRefused, match=why):
        renamed(text, new)


def test_a_name_that_would_be_hidden_by_another_is_refused() -> None:
    text = "let w|idth = 3\nblock b(c) { conv(width, c) }\n"
    with pytest.raises(RenameRefused, match="means something else"):
        renamed(text, "c")


def test_what_comes_with_netc_is_not_renamed() -> None:
    text = 'use bas|ic from "resnet.netdef"\n'
    project, here, offset = opened(text)
    with pytest.raises(RenameRefused, match="netc's own"):
        renamed_at(project, here, offset)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("as fi|rst", "second", "is a name"),
        ("as fi|rst", "image", "is a name"),
        ("as fi|rst", "y", "is a name"),
        ("as fi|rst", "step1", "would be a mistake: the label `step1` is used twice"),
        ("for |i", "width", "is a name"),
        ("net |n", "cell", "is a name"),
        ("block cell(|c", "stride", "means something else"),
    ],
)
def test_a_name_that_is_taken_is_refused_though_nothing_uses_it(
    old: str, new: str, why: str
) -> None:
    text = (
        "block cell(c, stride=1) { conv(c, 1) }\n"
        "net n(width=4) {\ninput image: f32[3, 8, 8]\nrelu as first\nrelu as second\n"
        'for i in range(2) { relu as "step{i}" }\noutput y\n}\n'
    )
    assert old.replace("|", "") in text
    with pytest.raises(RenameRefused, match=why):
        renamed(text.replace(old.replace("|", ""), old), new)


def test_a_tensor_may_be_called_like_a_value_and_a_name_of_another_block() -> None:
    text = (
        "block a() { relu as one }\nnet n(width=4) {\n"
        "input x: f32[3, 8]\nrelu as fi|rst\na()\noutput y\n}\n"
    )
    for new in ("width", "one", "a"):
        assert f"as {new}\n" in renamed(text, new)


def test_mistakes_that_were_there_do_not_hinder_a_renaming() -> None:
    text = "net n {\ninput x: f32[3, 8, 8]\nrelu as fi|rst\nconv(4, 99)\nfrob\noutput y\n}\n"
    assert renamed(text, "one") == text.replace("fi|rst", "one")


def test_a_mistake_in_another_file_hinders_a_renaming(tmp_path: Path) -> None:
    taken = OTHER.replace("twice()", 'for i in range(2) { relu as "width{i}" }\n twice() as width')
    project = folder(tmp_path, blocks=BLOCKS, main=MAIN, other=taken)
    main = file_of(project, tmp_path, "main")
    assert rename(project, main, MAIN.index("twice(stride"), "double")
    other = file_of(project, tmp_path, "other")
    with pytest.raises(RenameRefused, match="would be a mistake"):
        rename(project, other, taken.index("width\n"), "width0")
