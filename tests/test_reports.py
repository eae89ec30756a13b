"""Bad definitions in `tests/bad/`, a page a code, each case with the report expected of it.

`pytest tests/test_reports.py --bless` writes the reports anew; read them in the diff.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from compiler.driver import all_found, check_net, examine
from grammar.diagnostics import Diagnostic, render
from grammar.source import Source
from netc.pages import codes
from tests.mistakes import BAD, Case, all_cases, cases, page_text, pages

pytestmark = pytest.mark.xdist_group("reports")  # what several tests look at is found once
EVERY = all_cases()
GIVING_IN = "assert the shape it has"  # an edit for who finds the shape right; no help names it
OFFERING = (
    "did you mean",
    "meant?",
    " would do",
    " would fit",
    "` before it",
    " tells: ",
    "are not written: ",
    "included: ",
    "each axis: ",
)
# No edit can be made of these: the number comes from a loop, the class count from elsewhere too.
WITHOUT_EDIT = {
    "kernel=1 in conv at line 4 would do",
    "class[10] would fit, or a net with 12 scores",
}


def diagnose(case: Case) -> tuple[Diagnostic, ...]:
    """What `netc check` finds in a case."""
    return diagnose_text(case.text, case.path)


@cache
def diagnose_text(text: str, path: Path) -> tuple[Diagnostic, ...]:
    """What would be found in the file with this text."""
    module = examine(Source(path.name, text, path))
    return tuple(all_found(module, map(check_net, module.nets())))


def report(case: Case) -> str:
    return "\n\n".join(render(d) for d in diagnose(case)) + "\n"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_reports_of_a_page_are_the_expected_ones(page: Path, bless: bool) -> None:
    if bless:
        renewed = [replace(case, report=report(case)) for case in cases(page)]
        page.write_text(page_text(page.stem, renewed), encoding="utf-8")
    content = page.read_text(encoding="utf-8")
    assert content == page_text(page.stem, cases(page)), "not a page of cases, or one has no report"
    for case in cases(page):
        assert report(case) == case.report, case.name


def test_bad_definitions_stand_on_pages_each_once() -> None:
    assert [file.name for file in sorted(BAD.iterdir())] == [page.name for page in pages()]
    for page in pages():
        names = [case.name for case in cases(page)]
        assert len(set(names)) == len(names), page.name


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_the_code_of_the_page_is_reported(case: Case) -> None:
    assert case.code in [d.code for d in diagnose(case)]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_report_has_a_place_and_no_two_are_alike(case: Case) -> None:
    found = diagnose(case)
    assert len({(d.code, d.span.start, d.message) for d in found}) == len(found)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)
        assert re.fullmatch(r"[^A-Z].*[^.]", diagnostic.message), diagnostic.message


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_fix_that_is_offered_mends_its_mistake_and_breaks_nothing(case: Case) -> None:
    before = diagnose(case)
    for diagnostic in before:
        for fix in diagnostic.fixes:
            mended = case.text[: fix.span.start] + fix.text + case.text[fix.span.end :]
            assert mended != case.text
            left = diagnose_text(mended, case.path)
            key = (diagnostic.code, diagnostic.message, diagnostic.span.line)
            assert key not in {(d.code, d.message, d.span.line) for d in left}, mended
            if fix.title == GIVING_IN:
                continue
            told, were = (
                [d.message for d in found if d.code == diagnostic.code] for found in (left, before)
            )
            assert len(told) < len(were), f"{fix.title}: {mended}"
            if diagnostic.code != "E302" and not is_cascading(diagnostic):
                assert len([d for d in left if d.severity == "error"]) < len(before), mended


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_help_line_that_offers_a_change_has_its_edit(case: Case) -> None:
    for diagnostic in diagnose(case):
        offers = any(words in (diagnostic.help or "") for words in OFFERING)
        assert not offers or diagnostic.fixes or diagnostic.help in WITHOUT_EDIT, diagnostic.help


def is_cascading(diagnostic: Diagnostic) -> bool:
    """Whether what is offered may bring other mistakes to light, of what was not yet looked at."""
    return (diagnostic.help or "").startswith(("did you mean", "write "))


def test_every_code_that_a_definition_can_cause_is_there() -> None:
    seen = {d.code for case in EVERY for d in diagnose(case)}
    assert seen == {code for code in codes() if not code.startswith(("G", "V", "E6", "W6", "E9"))}
    assert len(EVERY) >= 120
