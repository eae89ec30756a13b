"""A new name for a definition, in every place of every file that means it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compiler.names import Definition, Names, Use
from compiler.ops import OPS
from compiler.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import DefinitionError
from grammar.parse import parse, parse_expression
from grammar.source import Source, Span
from netc.lsp.project import Home, Project, Text, in_library, same_file

NOT_RENAMED = {"pattern": "a label with an interpolation has no single name"}


class Refused(Exception):
    """A renaming that is not possible, and why."""


@dataclass(frozen=True)
class Edit:
    """`text` in place of what `span` covers."""

    span: Span
    text: str


def renamed_at(project: Project, text: Text, offset: int) -> tuple[Span, list[Home]]:
    """The place of the name at an offset and the definitions it means; raises `Refused`."""
    place = text.names.at(offset)
    if place is None:
        raise Refused("there is no name here")
    homes = project.homes(text, place)
    if place.span.text == "in" or (isinstance(place, Use) and not homes):
        raise Refused(f"`{place.name}` is not defined in a file")
    for home in homes:
        if home.definition.kind in NOT_RENAMED:
            raise Refused(NOT_RENAMED[home.definition.kind])
        if in_library(home.text.source) and not same_file(home.text.source, text.source):
            raise Refused(f"`{place.name}` belongs to netc's own definitions")
    return place.span, homes


def rename(project: Project, text: Text, offset: int, new: str) -> list[Edit]:
    """The edits that give a definition another name; raises `Refused`.

    What every other name means must stay as it was: the files are resolved again to see that.
    """
    _, homes = renamed_at(project, text, offset)
    if not is_name(new):
        raise Refused(f"`{new}` is no name: letters, digits and _, and no keyword")
    if new in OPS and any(h.definition.kind in ("block", "net") for h in homes):
        raise Refused(f"`{new}` is the name of an op")
    places: dict[Source, dict[Span, None]] = {}
    texts: dict[Source, Text] = {}
    for home in together(project, homes):
        for owner, span in project.occurrences(home, text):
            texts[owner.source] = owner
            places.setdefault(owner.source, {})[span] = None
    for source, spans in places.items():
        if parse(source).diagnostics:
            raise Refused(f"{source.name} has a syntax error")
        if not keeps_meaning(texts[source], spans, new):
            raise Refused(f"`{new}` means something else in {source.name}")
    return [Edit(span, new) for spans in places.values() for span in spans]


def together(project: Project, homes: list[Home]) -> list[Home]:
    """The definitions that share a use with these, such as the two branches of an `if`."""
    found = list(homes)
    for home in found:
        for use in home.text.names.uses_of(home.definition):
            for other in project.homes(home.text, use):
                if use.name == home.definition.name and not any(map(other.same, found)):
                    found.append(other)
    return found


def is_name(word: str) -> bool:
    """Whether a word can name something."""
    try:
        parsed = parse_expression(word)
    except DefinitionError:
        return False
    return isinstance(parsed, s.Name) and parsed.id == word and word not in ("in", "_")


def keeps_meaning(text: Text, spans: Iterable[Span], new: str) -> bool:
    """Whether all names of a text mean the same definitions with `new` written at `spans`."""
    changed = text.source.text
    for span in sorted(spans, key=lambda span: -span.start):
        changed = changed[: span.start] + new + changed[span.end :]
    file = parse(Source(text.source.name, changed, text.source.path)).file
    return meanings(resolve(file)) == meanings(text.names)


def meanings(names: Names) -> list[tuple[int, ...]]:
    """What each use means: the numbers of its definitions, in the order of the text."""
    numbers: dict[Definition, int] = {d: i for i, d in enumerate(names.definitions)}
    return [tuple(sorted(numbers[d] for d in use.definitions)) for use in names.uses]
