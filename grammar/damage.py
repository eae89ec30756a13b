"""How far a broken statement reaches, seen from its words, brackets and indentation alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from grammar.lexemes import OPENING, PARTNER, Lexeme, scan
from grammar.records import dataclass

MOST_LEXEMES = 50_000  # looked at for the end of one statement
NOT_IN_BRACKETS = ("->", ":", ";", "{", "}")

# Never stand in a body; `train` is a name there, unless another name follows.
_OUTSIDE = re.compile(r"(?:block|net|use)\b|train[ \t]+[A-Za-z_]")
_DECLARED = re.compile(r"[ \t]*((?:input|output)[ \t]+[A-Za-z_])")
_HEADER = re.compile(r"(?:for|repeat|if|block|net|train|step)\b[^{]*")  # what a body should follow


@dataclass(frozen=True)
class Damage:
    """The broken text, and the bracket in it that is opened and never closed."""

    start: int
    end: int
    unclosed: Lexeme | None


def measure(text: str, start: int, place: int, *, in_body: bool) -> Damage:
    """The extent of the statement (or item) that begins at `start` and breaks at `place`."""
    walk = _Walk(text, start, place, in_body)
    end = walk.end
    unclosed = walk.unclosed
    if unclosed is not None and place < walk.noticed:
        begun = new_statement(text, unclosed.start, place)
        if begun is not None:
            # The line before is the broken one; what begins the next is a statement of its own.
            end = min(end, len(text[:begun].rstrip()))
        else:
            cut = _line_end(text, max(place, unclosed.start))
            end = cut if cut < walk.noticed else end
    if not in_body:
        end = _indented_end(text, end)
    elif _HEADER.fullmatch(text, start, end):
        end = _body_end(text, start, end)
    return Damage(start, end, unclosed)


class _Walk:
    """A walk to the end of a statement; `noticed` is where the unclosed bracket showed."""

    def __init__(self, text: str, start: int, place: int, in_body: bool) -> None:
        self.open: list[Lexeme] = []
        self.unclosed: Lexeme | None = None
        self.noticed = 0
        self.closing = 0  # up to here the brackets are known to be closed
        self.end = len(text.rstrip())
        for gap, first, lexeme in _significant(text, start):
            if self._ends_before(text, first, lexeme, place, in_body):
                self.end = gap
                return
            if lexeme.text in ("(", "[", "{"):
                self.open.append(lexeme)
            elif lexeme.text in PARTNER:
                close(self.open, lexeme.text)
        self._give_up(len(text))

    def _ends_before(
        self, text: str, first: bool, lexeme: Lexeme, place: int, in_body: bool
    ) -> bool:
        """Whether the statement is over when this lexeme comes; it may show a bracket unclosed."""
        sign = lexeme.text
        if sign == ";" and self._is_between_brackets(text, lexeme):
            return False
        if sign in NOT_IN_BRACKETS or (first and sign in OPENING):
            self._give_up(lexeme.start)
        if first and _OUTSIDE.match(text, lexeme.start) and text[lexeme.start - 1] == "\n":
            return True
        if self.open or lexeme.start < place:
            return False
        begins = first and lexeme.start > place and sign not in ("->", "else")
        return begins or sign == ";" or (sign == "}" and in_body)

    def _is_between_brackets(self, text: str, sign: Lexeme) -> bool:
        """Whether a `;` stands between a bracket and its partner on the same line."""
        if not self.open or self.open[-1].text == "{":
            return False
        if sign.start > self.closing:
            self.closing = _closing(text, sign, self.open[-1]) or 0
        return sign.start < self.closing

    def _give_up(self, offset: int) -> None:
        """Round and square brackets that are open here will never be closed."""
        while self.open and self.open[-1].text != "{":
            bracket = self.open.pop()
            if self.unclosed is None or bracket.start < self.unclosed.start:
                self.unclosed, self.noticed = bracket, offset


def _closing(text: str, sign: Lexeme, bracket: Lexeme) -> int | None:
    """Where a bracket that is open at a sign is closed behind it on the same line, if it is."""
    open_brackets = [bracket]
    for lexeme in scan(text, sign.end):
        if lexeme.kind in ("newline", "comment") or lexeme.text in ("{", "}"):
            return None
        if lexeme.text in ("(", "["):
            open_brackets.append(lexeme)
        elif lexeme.text in PARTNER:
            close(open_brackets, lexeme.text)
            if not open_brackets:
                return lexeme.start
    return None


def close(open_brackets: list[Lexeme], closing: str) -> None:
    """Take the partner of a closing bracket off the stack, and what was left open inside it."""
    for depth in reversed(range(len(open_brackets))):
        if open_brackets[depth].text == PARTNER[closing]:
            del open_brackets[depth:]
            return
        if open_brackets[depth].text == "{":
            return


def is_closed(text: str, opened: int, end: int) -> bool:
    """Whether a bracket has its partner before an offset, and each one inside has its own."""
    open_brackets: list[str] = []
    for lexeme in islice(scan(text, opened), MOST_LEXEMES):
        if lexeme.start >= end:
            break
        if lexeme.kind == "mark" and lexeme.text in PARTNER.values():
            open_brackets.append(lexeme.text)
        elif lexeme.kind == "mark" and lexeme.text in PARTNER:
            if open_brackets.pop() != PARTNER[lexeme.text]:
                return False
            if not open_brackets:
                return True
    return False


def _significant(text: str, start: int) -> Iterator[tuple[int, bool, Lexeme]]:
    """Each word or sign: where the gap before it begins, and whether it begins a line."""
    gap, first = start, False
    for lexeme in islice(scan(text, start), MOST_LEXEMES):
        if lexeme.kind == "newline":
            first = True
        elif lexeme.kind != "comment":
            yield gap, first, lexeme
            gap, first = lexeme.end, False


def new_statement(text: str, opened: int, place: int) -> int | None:
    """Where a statement begins on a line below an open bracket: at `place`, or before it.

    What begins a line with `input x` or `output x` is no argument, though its first word may be.
    """
    start = text.rfind("\n", 0, place) + 1
    if opened >= start:
        return None
    if begins_line(text, place):
        return place
    declared = _DECLARED.match(text, start)
    return declared.start(1) if declared else None


def begins_line(text: str, offset: int) -> bool:
    """Whether only white space stands before an offset on its line."""
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def _lines_below(text: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """Each line after the one of `offset` that is not empty: its text, indentation and end."""
    end = _line_end(text, offset)
    while end < len(text):
        start, end = end + 1, _line_end(text, end + 1)
        line = text[start:end]
        if content := line.strip():
            yield content, len(line) - len(line.lstrip()), end


def _indented_end(text: str, offset: int) -> int:
    """The end of the indented lines (and lone closing braces) below a broken item."""
    for line, indent, end in _lines_below(text, offset):
        if _OUTSIDE.match(line) or not (indent or line.startswith("}")):
            break
        offset = end
    return offset


def _body_end(text: str, start: int, offset: int) -> int:
    """The end of the body of a header whose `{` is missing: further indented lines and a `}`."""
    margin = _indent(text, start)
    for content, indent, end in _lines_below(text, offset):
        if indent == margin and content.startswith("}"):
            return end
        if indent <= margin:
            break
        offset = end
    return offset


def unclosed_brace(text: str, start: int, place: int, open_braces: list[int]) -> int:
    """Which `{` of a definition lacks its partner: one closed further left than its own line."""
    stack: list[int] = []
    for _, first, lexeme in _significant(text, start):
        if lexeme.start >= place:
            break
        if lexeme.text == "{":
            stack.append(lexeme.start)
        elif lexeme.text == "}" and stack:
            opened = stack.pop()
            if first and _indent(text, lexeme.start) < _indent(text, opened):
                return opened
    return open_braces[-1]


def _indent(text: str, offset: int) -> int:
    """How far the line of an offset is indented."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    return len(line) - len(line.lstrip())
