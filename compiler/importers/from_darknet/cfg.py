"""Darknet cfg files: sections of `key=value` lines."""

from __future__ import annotations

import re
from dataclasses import field

from compiler.importers.builder import Refused
from compiler.importers.imported import UnreadableError
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.records import dataclass
from grammar.source import Source, Span

SPELLINGS = {
    "network": "net",
    "conv": "convolutional",
    "deconv": "deconvolutional",
    "conn": "connected",
    "max": "maxpool",
    "avg": "avgpool",
    "soft": "softmax",
    "lrn": "normalization",
}


WHOLE = re.compile(r"([-+]?\d{1,18})(\.\d*)?")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")


@dataclass(frozen=True)
class Section:
    """One section, its name in the longer of Darknet's spellings, and where its heading stands.

    `places` are where its options stand, `repeated` the lines that give one again, which Darknet
    passes over; `read` are the options that somebody asked for.
    """

    name: str
    span: Span
    options: dict[str, str] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    repeated: list[tuple[str, Span]] = field(default_factory=list)
    read: set[str] = field(default_factory=set, compare=False, repr=False)

    def given(self, name: str) -> str | None:
        """An option as it stands, its blanks left out; None where it is not given."""
        self.read.add(name)
        return self.options.get(name)

    def text(self, name: str, default: str = "") -> str:
        """An option that is a word; raises `Refused` for a comment, which Darknet takes for it."""
        value = self.given(name)
        if value is not None and "#" in value:
            raise Refused(f"{name}={value}: Darknet takes what follows # for a part of the word")
        return default if value is None else value

    def whole(self, name: str, default: int) -> int:
        """An option that is a whole number, read as C's `atoi` reads it; raises `Refused`."""
        value = self.given(name)
        return default if value is None else whole_of(name, value)

    def wholes(self, name: str) -> list[int]:
        """An option that is a list of whole numbers; raises `Refused`."""
        value = self.given(name)
        return [] if value is None else [whole_of(name, part) for part in value.split(",")]

    def number(self, name: str, default: float) -> float:
        """An option that is a number, read as C's `atof` reads it; raises `Refused`."""
        value = self.given(name)
        if value is None:
            return default
        match = NUMBER.match(value)
        if match is None or value[match.end() :][:1] not in ("", "#"):
            raise Refused(f"{name}={value} is no number")
        return float(match[0])


def whole_of(name: str, text: str) -> int:
    """The whole number that a text begins with, a comment behind it; raises `Refused`."""
    match = WHOLE.match(text)
    if match is None or text[match.end() :][:1] not in ("", "#"):
        raise Refused(f"{name}={text} is no whole number")
    return int(match[1])


def parse_cfg(source: Source) -> list[Section]:
    """The sections in order.

    Darknet leaves out all blanks, takes lines that begin with # or ; for comments, and of an
    option that is given twice the first. Raises `DefinitionError` for a line that is neither a
    section nor an option, `UnreadableError` when the first is so.
    """
    sections: list[Section] = []
    mistakes: list[Diagnostic] = []
    start = 0
    for raw in source.text.split("\n"):
        line = BLANKS.sub("", raw)
        span = Span(source, start, start + len(raw))
        start += len(raw) + 1
        if not line or line[0] in "#;":
            continue
        key, separator, value = line.partition("=")
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1].lower()
            sections.append(Section(SPELLINGS.get(name, name), span))
        elif separator and key and value and sections:
            section = sections[-1]
            if key in section.options:
                section.repeated.append((key, span))
                continue
            section.options[key] = value
            section.places[key] = span
        elif not sections and not line.startswith("["):
            raise UnreadableError(f"{source.name}: a cfg begins with the section [net]")
        else:
            message = "a cfg holds sections in brackets and `key=value` lines"
            mistakes.append(Diagnostic.of("E602", message, span))
    if mistakes:
        raise DefinitionError(mistakes)
    return sections


BLANKS = re.compile(r"[ \t\r]")
