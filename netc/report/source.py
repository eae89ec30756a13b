"""The text of a definition in a report, and which lines make which box of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TypeAlias

from pygments import lex
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType

from grammar.diagnostics import printable
from grammar.source import Source, Span
from netc.highlight import NetdefLexer
from netc.plot.plan import PlanItem

MOST_LINES = 20_000  # of a file
# The colours, by class of the page.
COLOURS = {
    Comment: "c",
    Keyword: "k",
    Name.Builtin: "b",
    Name.Function: "f",
    Number: "n",
    String: "s",
}

Place: TypeAlias = tuple[int, int, int]  # a file, its first line, its last one


def spans_of(item: PlanItem) -> list[Span]:
    """Where a box is defined, and the calls that led there, the innermost first."""
    box = item.box
    if box.layer is not None:
        steps = reversed(box.layer.node.call_stack)
        return [box.layer.node.span, *(step.span for step in steps)]
    return [box.step.span] if box.step is not None else []


def sources_of(items: Sequence[PlanItem]) -> list[Source]:
    """The files that a net is made of, that of the net first."""
    found: dict[int, Source] = {}
    for item in items:
        for span in reversed(spans_of(item)):
            found.setdefault(id(span.source), span.source)
    return list(found.values())


def places_of(item: PlanItem, number: dict[int, int]) -> tuple[Place, ...]:
    """The lines of a box's spans; a call is told by the line on which it begins."""
    first, *calls = spans_of(item) or (None,)
    if first is None:
        return ()
    own = (number[id(first.source)], first.line, first.last[0])
    return (own, *((number[id(one.source)], one.line, one.line) for one in calls if one))


def source_html(sources: Sequence[Source], places: Sequence[Sequence[Place]]) -> Iterator[str]:
    """Each file with its lines; those that make a layer can be chosen."""
    making = {
        (file, line)
        for row in places
        for file, first, last in row
        for line in range(first, last + 1)
    }
    for file, source in enumerate(sources):
        name = escape(printable(source.name))
        yield f'<section aria-label="{name}"><h3>{name}</h3><ol class="code">'
        for number, html in enumerate(highlighted(source.text), 1):
            tag = f'<li data-line="{file}:{number}">'
            makes = (file, number) in making
            yield f'{tag}<button type="button">{html}</button>' if makes else f"{tag}{html}"
        yield "</ol></section>"


def highlighted(text: str) -> list[str]:
    """The lines of a definition as HTML, coloured."""
    pieces: list[list[str]] = [[]]  # of each line
    for kind, value in lex(text, NetdefLexer(stripnl=False, ensurenl=False)):
        first, *others = value.split("\n")
        pieces[-1].append(coloured(kind, first))
        pieces += [[coloured(kind, other)] for other in others]
    lines = ["".join(line) for line in pieces]
    if lines[-1] == "":
        lines.pop()
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES:,} more lines"]
    return lines


def coloured(kind: _TokenType, text: str) -> str:
    """A piece of text in the colour of its kind."""
    found = escape(printable(text.rstrip("\r")))
    name = next((name for token, name in COLOURS.items() if kind in token), "")
    return f'<span class="{name}">{found}</span>' if name and found else found
