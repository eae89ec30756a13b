"""The files that use each other: where a name is at home, and everywhere it is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from compiler.files import LIBRARY, Files, real
from compiler.symbols.names import NameDefinition, Names, Reference
from compiler.symbols.resolve import resolve
from compiler.values import Mistake
from grammar import syntax as s
from grammar.parse import parse
from grammar.source import Source, Span
from netc.lsp.analysis import AnalysedText

MOST_STEPS = 20  # of `use` that leads to `use`


@dataclass(frozen=True, eq=False)
class ParsedText:
    """A text with its tree and names."""

    source: Source
    file: s.File
    names: Names

    def item(self, name: str) -> NameDefinition | None:
        """What stands under a name at the top of the file."""
        tops = (d for d in self.names.definitions if d.owner is None and d.name == name)
        return next(tops, None)


@dataclass(frozen=True, eq=False)
class Home:
    """A definition and the text it stands in."""

    text: ParsedText
    definition: NameDefinition

    def same(self, other: Home) -> bool:
        """Whether both are the same place of the same file."""
        spans = self.definition.span, other.definition.span
        return spans[0].start == spans[1].start and same_file(self.text.source, other.text.source)


def same_file(one: Source, other: Source) -> bool:
    """Whether two sources are texts of one file."""
    return one is other or (one.path is not None and one.path == other.path)


class Project:
    """Texts found by `use` among the `files` that may be read; `paths` are all that there are.

    `known` keeps what was parsed for as long as its text is the same, for the next project too.
    """

    def __init__(
        self,
        files: Files,
        paths: Callable[[], Iterable[Path]] = tuple,
        known: dict[Path, ParsedText] | None = None,
    ) -> None:
        self.files = files
        self.paths = paths
        self._texts: dict[Path, ParsedText] = {} if known is None else known

    def text_of(self, analysis: AnalysedText) -> ParsedText:
        """An analysed text as one of the project's."""
        return ParsedText(analysis.source, analysis.file, analysis.names)

    def text(self, path: Path) -> ParsedText | None:
        """The text of a file; None when it cannot be read."""
        try:
            source = self.files.read(path, path.name)
        except OSError:
            return None
        known = self._texts.get(path)
        if known is not None and known.source.text == source.text:
            return known
        file = parse(source).file
        text = ParsedText(source, file, resolve(file))
        self._texts[path] = text
        return text

    def used_path(self, item: s.Use) -> Path | None:
        """The file that a `use` names."""
        here = item.span.source.path
        try:
            root = real(here).parent if here else None
            return replace(self.files, root=root).find(item.path)
        except Mistake:
            return None

    def file_named_at(self, text: ParsedText, offset: int) -> ParsedText | None:
        """The file that the path of a `use` at an offset names."""
        for item in text.file.items:
            if isinstance(item, s.Use) and item.path.span.start <= offset <= item.path.span.end:
                path = self.used_path(item)
                return self.text(path) if path is not None else None
        return None

    def homes(self, text: ParsedText, place: NameDefinition | Reference) -> list[Home]:
        """Where a name is at home: its definitions, in the files that they come from."""
        if isinstance(place, NameDefinition):
            return self._home(text, place, MOST_STEPS)
        if place.role == "keyword" and not place.definitions:
            blocks = [home for d in place.callee for home in self._home(text, d, MOST_STEPS)]
            return [home for block in blocks for home in parameter(block, place.name)]
        return [home for d in place.definitions for home in self._home(text, d, MOST_STEPS)]

    def _home(self, text: ParsedText, definition: NameDefinition, steps: int) -> list[Home]:
        if definition.kind != "used":
            return [Home(text, definition)]
        assert isinstance(definition.node, s.Use)
        path = self.used_path(definition.node)
        other = self.text(path) if path is not None and steps else None
        item = other.item(definition.name) if other is not None else None
        return [] if other is None or item is None else self._home(other, item, steps - 1)

    def occurrences(self, home: Home, opened: ParsedText) -> Iterator[tuple[ParsedText, Span]]:
        """Every place of every file that means a definition, its own first.

        `opened` is the text that is being asked about.
        """
        definition, own = home.definition, home.text
        yield own, definition.span
        for use in own.names.uses_of(definition):
            if use.name == definition.name:
                yield own, use.span
        if definition.owner is not None and definition.kind != "parameter":
            return
        for text in self.texts(opened):
            if not same_file(text.source, own.source):
                yield from ((text, span) for span in self._elsewhere(home, text))

    def _elsewhere(self, home: Home, text: ParsedText) -> Iterator[Span]:
        """The places of another file that mean a definition: by `use`, or by a keyword."""
        name = home.definition.name

        def means(place: NameDefinition | Reference) -> bool:
            return place.name == name and any(o.same(home) for o in self.homes(text, place))

        if home.definition.kind == "parameter":
            keywords = (u for u in text.names.uses if u.role == "keyword" and not u.definitions)
            yield from (use.span for use in keywords if means(use))
            return
        for definition in text.names.definitions:
            if definition.kind == "used" and means(definition):
                yield definition.span
                yield from (use.span for use in text.names.uses_of(definition))

    def texts(self, opened: ParsedText) -> Iterator[ParsedText]:
        """Every text of the project, the opened one first."""
        yield opened
        for path in self.paths():
            text = self.text(path)
            if text is not None and not same_file(text.source, opened.source):
                yield text


def parameter(block: Home, name: str) -> list[Home]:
    """The parameter of a block under a name."""
    return [
        Home(block.text, d)
        for d in block.text.names.definitions
        if d.kind == "parameter" and d.owner is block.definition and d.name == name
    ]


def in_library(source: Source) -> bool:
    """Whether a text belongs to the definitions that come with netc, which stay as they are."""
    return source.path is not None and source.path.is_relative_to(LIBRARY)
