"""Bad definitions in `tests/bad/`, the report expected of each beside it.

`pytest tests/test_reports.py --bless` writes the expected reports anew; read them in the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.driver import all_found, check_net, examine
from grammar.diagnostics import Diagnostic, render
from grammar.source import Source
from netc.pages import codes
from tests.offers import offered

BAD = sorted((Path(__file__).parent / "bad").glob("*.netdef"))


def diagnose(path: Path) -> list[Diagnostic]:
    """What `netc check` finds in a file."""
    return diagnose_text(path.read_text(encoding="utf-8"), path)


def diagnose_text(text: str, path: Path) -> list[Diagnostic]:
    """What would be found in the file with this text."""
    module = examine(Source(path.name, text, path))
    return all_found(module, map(check_net, module.nets()))


def report(path: Path) -> str:
    return "\n\n".join(render(d) for d in diagnose(path)) + "\n"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_report_is_the_expected_one(path: Path, bless: bool) -> None:
    expected = path.with_suffix(".txt")
    if bless:
        expected.write_text(report(path), encoding="utf-8")
    assert report(path) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_code_in_the_file_name_is_reported(path: Path) -> None:
    assert path.stem.split("_")[0] in [d.code for d in diagnose(path)]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_report_has_a_place_and_no_two_are_alike(path: Path) -> None:
    found = diagnose(path)
    assert len({(d.code, d.span.start, d.message) for d in found}) == len(found)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)
        assert re.fullmatch(r"[^A-Z].*[^.]", diagnostic.message), diagnostic.message


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_fix_that_is_offered_mends_its_mistake(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for diagnostic in diagnose(path):
        for fix in diagnostic.fixes:
            mended = text[: fix.span.start] + fix.text + text[fix.span.end :]
            left = {(d.code, d.message, d.span.line) for d in diagnose_text(mended, path)}
            key = (diagnostic.code, diagnostic.message, diagnostic.span.line)
            assert key not in left, f"{fix.title}: {mended}"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_change_that_a_help_line_offers_mends_its_mistake_and_breaks_nothing(
    path: Path,
) -> None:
    text = path.read_text(encoding="utf-8")
    before = diagnose(path)
    for diagnostic in before:
        for mended in offered(diagnostic, text):
            left = diagnose_text(mended, path)
            assert mended != text
            told, were = (
                [d.message for d in found if d.code == diagnostic.code] for found in (left, before)
            )
            assert len(told) < len(were), f"{diagnostic.help}: {mended}"
            if diagnostic.code != "E302" and not is_cascading(diagnostic):
                assert len([d for d in left if d.severity == "error"]) < len(before), mended


def is_cascading(diagnostic: Diagnostic) -> bool:
    """Whether what is offered may bring other mistakes to light, of what was not yet looked at."""
    return "did you mean" in (diagnostic.help or "")


def test_every_code_that_a_definition_can_cause_is_there() -> None:
    seen = {d.code for path in BAD for d in diagnose(path)}
    assert seen == {code for code in codes() if not code.startswith(("G", "V", "E6", "W6", "E9"))}
    assert len(BAD) >= 120
