"""A definition's text, and places in it."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from grammar.records import dataclass

STRIDE = 1024  # characters between two entries of the line index


@dataclass(frozen=True)
class Source:
    """A file's text; `name` is what messages call it, `path` where it lies if anywhere."""

    name: str
    text: str
    path: Path | None = None

    @cached_property
    def _newlines(self) -> list[int]:
        """How many lines end before each `STRIDE`-th character: small even for 16 MiB of lines."""
        text = self.text
        counts = (text.count("\n", i, i + STRIDE) for i in range(0, len(text), STRIDE))
        return [0, *accumulate(counts)]

    @cached_property
    def _last_newlines(self) -> list[int]:
        """Where the last line ends before each `STRIDE`-th character, -1 for none."""
        text = self.text
        ends = (text.rfind("\n", i, i + STRIDE) for i in range(0, len(text), STRIDE))
        return [-1, *accumulate(ends, max)]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        step = min(offset // STRIDE, len(self._newlines) - 1)
        line = self._newlines[step] + self.text.count("\n", step * STRIDE, offset)
        # Not from the beginning: a line may be as long as the text.
        before = max(self._last_newlines[step], self.text.rfind("\n", step * STRIDE, offset))
        return line + 1, offset - before

    def line_start(self, number: int) -> int:
        """The offset of the first character of a line (from 1), or of the text's end."""
        if number <= 1:
            return 0
        step = max(bisect_left(self._newlines, number - 1) - 1, 0)
        offset = step * STRIDE
        for _ in range(number - 1 - self._newlines[step]):
            offset = self.text.find("\n", offset) + 1
            if offset == 0:
                return len(self.text)
        return offset

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self.line_start(number)
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """From `start` up to but not including `end`, offsets into the source's text."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line it begins on, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column it begins at, from 1."""
        return self.source.position(self.start)[1]

    @property
    def last(self) -> tuple[int, int]:
        """Line and column just after its end."""
        return self.source.position(self.end)

    @property
    def text(self) -> str:
        """The characters it covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the beginning of this span to the end of another in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __repr__(self) -> str:
        return f"<{self.source.name}:{self.line}:{self.column}>"
