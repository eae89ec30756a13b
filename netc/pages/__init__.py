"""A page on each code of a diagnostic: the rule, why it is one, a bad and a good example."""

from __future__ import annotations

from pathlib import Path

from grammar.diagnostics import did_you_mean
from runtime.errors import CallError

FOLDER = Path(__file__).parent


def codes() -> list[str]:
    """Every code that has a page."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def page(code: str) -> str:
    """The page on a code, in Markdown; raises `CallError` when there is none."""
    file = FOLDER / f"{code}.md"
    if not file.is_file():
        hint = did_you_mean(code, codes())
        raise CallError(f"there is no code {code}" + (f"; {hint}" if hint else ""))
    return file.read_text(encoding="utf-8").rstrip()
