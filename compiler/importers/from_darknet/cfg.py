"""Darknet cfg files: sections of `key=value` lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.importers.builder import Refused
from compiler.importers.imported import UnreadableError
from grammar.diagnostics import DefinitionError, Diagnostic
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


@dataclass(frozen=True)
class Section:
    """One section, its name in the longer of Darknet's spellings, and where its heading stands."""

    name: str
    span: Span
    options: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """An option as it stands."""
        return self.options.get(name, default)

    def whole(self, name: str, default: int) -> int:
        """An option that is a whole number, read as C's `atoi` reads it."""
        return self.wholes(name)[0] if name in self.options else default

    def wholes(self, name: str) -> list[int]:
        """An option that is a list of whole numbers; raises `Refused`."""
        parts = [part.strip() for part in self.options.get(name, "").split(",") if part.strip()]
        try:
            return [int(float(part)) for part in parts]
        except ValueError:
            raise Refused(f"{name}={self.options[name]} is no whole number") from None

    def number(self, name: str, default: float) -> float:
        """An option that is a number; raises `Refused`."""
        try:
            return float(self.options.get(name, default))
        except ValueError:
            raise Refused(f"{name}={self.options[name]} is no number") from None


def parse_cfg(source: Source) -> list[Section]:
    """The sections in order.

    Raises `DefinitionError` for a line that is neither, `UnreadableError` when the first is so.
    """
    sections: list[Section] = []
    options: dict[str, str] = {}
    mistakes: list[Diagnostic] = []
    for number in range(1, source.text.count("\n") + 2):
        raw, start = source.line(number), source.line_start(number)
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        span = Span(source, start, start + len(raw))
        if line.startswith("[") and line.endswith("]"):
            options = {}
            name = line[1:-1].strip().lower()
            sections.append(Section(SPELLINGS.get(name, name), span, options))
        elif "=" in line and sections:
            key, _, value = line.partition("=")
            options[key.strip()] = value.partition("#")[0].strip()
        elif not sections and not line.startswith("["):
            raise UnreadableError(f"{source.name}: a cfg begins with the section [net]")
        else:
            message = "a cfg holds sections in brackets and `key=value` lines"
            mistakes.append(Diagnostic("E602", message, span))
    if mistakes:
        raise DefinitionError(mistakes)
    return sections
