"""Offsets into a text, and the lines and characters that an editor counts.

An editor counts lines and characters from 0, ends a line with `\\n`, `\\r\\n` or `\\r`, and counts
a character beyond the basic plane (an emoji) as two in UTF-16, one in UTF-32, four in UTF-8.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
Position: TypeAlias = tuple[int, int]
LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Lines:
    """The lines of a text in the units of an editor."""

    text: str
    encoding: Encoding = "utf-16"

    @cached_property
    def starts(self) -> list[int]:
        """The offset of the first character of each line."""
        return [0, *(match.end() for match in LINE_END.finditer(self.text))]

    @cached_property
    def plain(self) -> bool:
        """Whether every character counts as one."""
        if self.encoding == "utf-16":
            return self.text.isascii() or max(self.text) < "\U00010000"
        return self.encoding == "utf-32" or self.text.isascii()

    def units(self, text: str) -> int:
        """How many units a piece of text counts."""
        if self.plain:
            return len(text)
        if self.encoding == "utf-16":
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text.encode("utf-8", "surrogatepass"))

    def position(self, offset: int) -> Position:
        """Line and character of an offset."""
        line = bisect_right(self.starts, offset) - 1
        return line, self.units(self.text[self.starts[line] : offset])

    def offset(self, line: int, character: int) -> int:
        """The offset of a position; one beyond a line's or the text's end means that end."""
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        content = LINE_END.sub("", self.text[start:end])
        if self.plain:
            return start + min(character, len(content))
        counted = 0
        for index, one in enumerate(content):
            if counted >= character:
                return start + index
            counted += self.units(one)
        return start + len(content)


@dataclass(frozen=True)
class Shifted:
    """Offsets of an older text in a newer one that differs from it in one stretch."""

    before: str
    after: str

    @cached_property
    def kept(self) -> tuple[int, int]:
        """How many characters are the same at the beginning and at the end."""
        most = min(len(self.before), len(self.after))
        head = alike(self.before, self.after)
        tail = alike(self.before[::-1], self.after[::-1])
        return head, min(tail, most - head)

    def forward(self, offset: int) -> int | None:
        """Where an offset of the older text is now; None inside the stretch that changed."""
        head, tail = self.kept
        if offset <= head:
            return offset
        if offset >= len(self.before) - tail:
            return offset + len(self.after) - len(self.before)
        return None

    def backward(self, offset: int) -> int:
        """Where an offset of the newer text was; in the stretch that changed, its beginning."""
        head, tail = self.kept
        if offset > len(self.after) - tail:
            return offset + len(self.before) - len(self.after)
        return min(offset, head)


def alike(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
