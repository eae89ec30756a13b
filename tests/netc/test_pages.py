"""Every code has a page, and every page's examples do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.driver import check_net, check_training, load
from compiler.lints import lint_names
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.source import Source
from netc.pages import codes, page
from tests.netc.command import netc

ROOT = Path(__file__).parents[2]


def examples(code: str) -> list[str]:
    return re.findall(r"```netdef\n(.*?)```", page(code), re.DOTALL)


def diagnose(text: str) -> list[Diagnostic]:
    try:
        module = load(Source("example.netdef", text))
    except DefinitionError as error:
        return list(error.diagnostics)
    found = [d for net in module.nets() for d in check_net(net).diagnostics]
    found += [d for t in module.trainings() for d in check_training(t).diagnostics]
    if not any(d.severity == "error" for d in found):
        found += lint_names(module.file)
    return found


def codes_in_sources() -> set[str]:
    rooms = ("grammar", "compiler", "runtime", "netc")
    files = [file for room in rooms for file in ROOT.glob(f"{room}/**/*.py")]
    return set(re.findall(r'"([EGVW]\d{3})"', "\n".join(f.read_text("utf-8") for f in files)))


def test_the_pages_are_those_of_the_codes_in_the_sources() -> None:
    assert set(codes()) == codes_in_sources()


@pytest.mark.parametrize(
    "code", [c for c in codes() if not c.startswith(("G", "V", "E6", "E9", "W6"))]
)
def test_the_bad_example_gives_its_code_once_and_the_good_one_nothing(code: str) -> None:
    bad, good = examples(code)
    assert [d.code for d in diagnose(bad)] == [code]
    assert [str(d) for d in diagnose(good)] == []


@pytest.mark.parametrize("code", codes())
def test_explain_prints_the_page_of_a_code_in_any_letters(code: str) -> None:
    result = netc("explain", code.lower())
    assert result.exit_code == 0
    marks = re.compile(r"[#`*•]|netdef\n|^ *- ", re.MULTILINE)  # of Markdown, which are rendered
    shown, meant = ("".join(marks.sub("", t).split()) for t in (result.stdout, page(code)))
    assert shown == meant
    assert "```" not in result.stdout


@pytest.mark.parametrize("code", codes())
def test_a_page_begins_with_its_code_and_headline(code: str) -> None:
    assert re.match(rf"# {code}: [^\n]+[^.\n]\n\n[A-Z`\"]", page(code))
