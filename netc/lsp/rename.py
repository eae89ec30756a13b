"""A new name for a definition, in every place of every file that means it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from compiler.files import Files
from compiler.ops import OPS
from compiler.symbols.names import NameDefinition, Names, Reference
from compiler.symbols.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.parse import parse, parse_expression
from grammar.source import Source, Span
from netc.lsp.analysis import analyse
from netc.lsp.project import Home, ParsedText, Project, in_library, same_file
from netc.lsp.scope import TENSORS

NOT_RENAMED = {"pattern": "a label with an interpolation has no single name"}


class RenameRefused(Exception):
    """A renaming that is not possible, and why."""


@dataclass(frozen=True)
class Edit:
    """`text` in place of what `span` covers."""

    span: Span
    text: str


def renamed_at(project: Project, text: ParsedText, offset: int) -> tuple[Span, list[Home]]:
    """The place of the name at an offset and the definitions it means; raises `RenameRefused`."""
    place = text.names.at(offset)
    if place is None:
        raise RenameRefused("there is no name here")
    homes = project.homes(text, place)
    if place.span.text == "in" or (isinstance(place, Reference) and not homes):
        raise RenameRefused(f"`{place.name}` is not defined in a file")
    for home in homes:
        if home.definition.kind in NOT_RENAMED:
            raise RenameRefused(NOT_RENAMED[home.definition.kind])
        if in_library(home.text.source) and not same_file(home.text.source, text.source):
            raise RenameRefused(f"`{place.name}` belongs to netc's own definitions")
    return place.span, homes


def rename(project: Project, text: ParsedText, offset: int, new: str) -> list[Edit]:
    """The edits that give a definition another name; raises `RenameRefused`.

    What every other name means must stay as it was, two things in one place may not have one name,
    and no file may have a new mistake: the files are resolved and checked again to see that.
    """
    _, homes = renamed_at(project, text, offset)
    if not is_name(new):
        raise RenameRefused(f"`{new}` is no name: letters, digits and _, and no keyword")
    if new in OPS and any(h.definition.kind in ("block", "net", "train") for h in homes):
        raise RenameRefused(f"`{new}` is the name of an op")
    places: dict[Source, dict[Span, None]] = {}
    texts: dict[Source, ParsedText] = {}
    for home in together(project, homes):
        for owner, span in project.occurrences(home, text):
            texts[owner.source] = owner
            places.setdefault(owner.source, {})[span] = None
    changed = {source: with_name(source, spans, new) for source, spans in places.items()}
    for source, after in changed.items():
        if parse(source).diagnostics:
            raise RenameRefused(f"{source.name} has a syntax error")
        names, known = resolve(parse(after).file), texts[source].names
        if len(names.definitions) != len(known.definitions) or meanings(names) != meanings(known):
            raise RenameRefused(f"`{new}` means something else in {source.name}")
        if clashes(known, names, new):
            raise RenameRefused(f"`{new}` is a name in {source.name} already")
    if mistake := new_mistake(project, changed):
        raise RenameRefused(f"`{new}` would be a mistake: {mistake.message}")
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


def with_name(source: Source, spans: Iterable[Span], new: str) -> Source:
    """A text with `new` written at `spans`."""
    text = source.text
    for span in sorted(spans, key=lambda span: -span.start):
        text = text[: span.start] + new + text[span.end :]
    return Source(source.name, text, source.path)


def clashes(before: Names, after: Names, new: str) -> bool:
    """Whether a renamed definition stands in one place with another that had the name already."""
    pairs = zip(before.definitions, after.definitions, strict=True)
    named = [(old, d) for old, d in pairs if d.name == new and d.kind != "pattern"]
    renamed = [d for old, d in named if old.name != new]
    kept = [d for old, d in named if old.name == new]
    return any(together_in_scope(one, other) for one in renamed for other in kept)


def together_in_scope(one: NameDefinition, other: NameDefinition) -> bool:
    """Whether two definitions, values or tensors both, can be named at some place together."""
    alike = (one.kind in TENSORS) == (other.kind in TENSORS) and one.owner is other.owner
    apart = one.visible.end <= other.visible.start or other.visible.end <= one.visible.start
    return alike and not apart


def meanings(names: Names) -> list[tuple[int, ...]]:
    """What each use means: the numbers of its definitions, in the order of the text."""
    numbers: dict[NameDefinition, int] = {d: i for i, d in enumerate(names.definitions)}
    return [tuple(sorted(numbers[d] for d in use.definitions)) for use in names.uses]


def new_mistake(project: Project, changed: dict[Source, Source]) -> Diagnostic | None:
    """The first error that changed files have and did not have before."""
    paths = {after.path: after for after in changed.values() if after.path is not None}

    files = replace(project.files, opened={**project.files.opened, **paths})
    for source, after in changed.items():
        found = errors(after, files)
        known = Counter(d.code for d in errors(source, project.files)) if found else {}
        for diagnostic in found:
            if known.get(diagnostic.code, 0) == 0:
                return diagnostic
            known[diagnostic.code] -= 1
    return None


def errors(source: Source, files: Files) -> list[Diagnostic]:
    """The errors of a text, warnings left out."""
    analysis = analyse(source, files)
    return [d for d in analysis.diagnostics if d.severity == "error"]
