"""The bad definitions of `tests/bad/`: one page a code, each case with the report expected of it.

A page is Markdown: a heading names the case, a `netdef` block is the definition, a `text` block
what `netc check` says of it. A new case is a heading and a definition; the report is written by
`pytest tests/test_reports.py --bless`. A character NUL is written as its picture, ␀.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BAD = Path(__file__).parent / "bad"
CASE = re.compile(
    r"^## (?P<name>[^\n]+)\n\n```netdef\n(?P<text>.*?)^```\n(?:\n```text\n(?P<report>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
NUL, PICTURE = "\0", "␀"


@dataclass(frozen=True)
class Case:
    """One bad definition."""

    code: str  # that its report has, maybe among others
    name: str
    text: str
    report: str  # empty where none is written yet

    @property
    def path(self) -> Path:
        """Where the definition would stand as a file of its own."""
        return BAD / f"{self.name.replace(' ', '_')}.netdef"

    def __str__(self) -> str:
        return f"{self.code}: {self.name}"


def pages() -> list[Path]:
    """One file a code."""
    return sorted(BAD.glob("*.md"))


def cases(page: Path) -> list[Case]:
    """The cases of a page, in its order."""
    content = page.read_text(encoding="utf-8").replace(PICTURE, NUL)
    return [
        Case(page.stem, found["name"], found["text"], found["report"] or "")
        for found in CASE.finditer(content)
    ]


def page_text(code: str, written: list[Case]) -> str:
    """A page as it stands in its file."""
    parts = [f"# {code}\n"]
    for case in written:
        parts.append(f"## {case.name}\n\n```netdef\n{case.text}```\n\n```text\n{case.report}```\n")
    return "\n".join(parts).replace(NUL, PICTURE)


def all_cases() -> list[Case]:
    """Every case of every page."""
    return [case for page in pages() for case in cases(page)]
