"""Diagnostics as an editor shows them: each in the file that is open, with fixes to choose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.lints import ALLOW
from compiler.values import Mistake
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix
from grammar.source import Span
from netc.lsp.analysis import AnalysedText
from netc.lsp.project import in_library


@dataclass(frozen=True)
class Problem:
    """A diagnostic at a place of the open text; `related` are other places that matter."""

    diagnostic: Diagnostic
    span: Span
    related: tuple[tuple[Span, str], ...]

    @property
    def message(self) -> str:
        """The headline, then what the terminal prints below it."""
        found = self.diagnostic
        lines = [found.message, found.label, *found.notes]
        lines.append(f"help: {found.help}" if found.help else "")
        return "\n".join(line for line in lines if line)

    @property
    def fixes(self) -> Iterator[Fix]:
        """The fixes that an editor may make; netc's own definitions stay as they are.

        A warning can be allowed on its line.
        """
        for fix in self.diagnostic.fixes:
            if not in_library(fix.span.source) or fix.span.source is self.span.source:
                far = "" if fix.span.line == self.span.line else f" at line {fix.span.line}"
                yield Fix(fix.title + far, fix.span, fix.text)
        if self.diagnostic.severity == "warning" and self.diagnostic.span is self.span:
            yield allowing(self.diagnostic.code, self.span)


def allowing(code: str, place: Span) -> Fix:
    """The comment that silences a warning on its line, or one more code in it."""
    source = place.source
    line = source.line(place.line)
    start = place.start - place.column + 1
    known = ALLOW.search(line)
    end = start + (known.end() if known else len(line.rstrip()))
    text = f", {code}" if known else f"  # netc: allow {code}"
    return Fix(f"allow {code} on this line", Span(source, end, end), text)


def problems(analysis: AnalysedText) -> list[Problem]:
    """Every diagnostic of a text at a place of that text."""
    return [problem(analysis, diagnostic) for diagnostic in analysis.diagnostics]


def problem(analysis: AnalysedText, diagnostic: Diagnostic) -> Problem:
    """A mistake in a used file stands at the call that leads there, or at the `use`."""
    steps = [(step.span, str(step)) for step in reversed(diagnostic.call_stack)]
    if diagnostic.span.source is analysis.source:
        return Problem(diagnostic, diagnostic.span, tuple(steps))
    there = (diagnostic.span, diagnostic.message)
    for index, (span, _) in enumerate(steps):
        if span.source is analysis.source:
            return Problem(diagnostic, span, (there, *steps[:index], *steps[index + 1 :]))
    return Problem(diagnostic, using(analysis, diagnostic.span), (there, *steps))


def using(analysis: AnalysedText, place: Span) -> Span:
    """The `use` that brings in the file of a place; the first one when none does directly."""
    items = [item for item in analysis.file.items if isinstance(item, s.Use)]
    for item in items:
        try:
            path = analysis.files.find(item.path)
        except Mistake:
            continue
        if place.source.path == path:
            return item.path.span
    return items[0].path.span if items else Span(analysis.source, 0, 0)
