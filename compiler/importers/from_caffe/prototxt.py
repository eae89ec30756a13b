"""Text protocol buffers as nested messages: names with the values they were given, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from lark import Lark, Token, Tree, UnexpectedInput

from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.records import dataclass
from grammar.source import Source, Span

GRAMMAR = Path(__file__).with_name("prototxt.lark")

DEEPEST = 30  # messages within messages; Caffe's own networks need 5

Value: TypeAlias = "int | float | str | bool | ProtoMessage"


class Word(str):
    """A value without quotes that is no number: `true`, or the name of one of an enumeration."""


@dataclass(frozen=True)
class Field:
    """One `name: value` or `name { … }` with its place."""

    name: str
    value: Value
    span: Span


@dataclass(frozen=True)
class ProtoMessage:
    """The fields between a pair of braces; the same name may stand there many times.

    `read` are the names that somebody asked for: what is never asked for was overlooked.
    """

    fields: tuple[Field, ...] = ()
    read: set[str] = field(default_factory=set, compare=False, repr=False)

    def all(self, *names: str) -> list[Any]:
        """Every value given under one of these names, in order."""
        self.read.update(names)
        return [field.value for field in self.fields if field.name in names]

    def one(self, name: str, default: Any = None) -> Any:
        """The last value given under a name, which is the one that counts."""
        return next(iter(reversed(self.all(name))), default)

    def message(self, name: str) -> ProtoMessage:
        """The message under a name, empty when there is none."""
        value = self.one(name)
        return value if isinstance(value, ProtoMessage) else ProtoMessage()


@cache
def parser() -> Lark:
    """The parser of the format."""
    return Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", propagate_positions=True)


def parse_prototxt(source: Source) -> ProtoMessage:
    """The whole file as one message; raises `DefinitionError` with the place of a mistake."""
    check_depth(source)
    try:
        tree = parser().parse(source.text)
    except UnexpectedInput as error:
        start = min(error.pos_in_stream or 0, max(len(source.text) - 1, 0))
        found = source.text[start : start + 1].strip()
        message = f"this is no text protocol buffer: unexpected `{found}`"
        if not found:
            message = "this is no text protocol buffer: it ends too early"
        raise DefinitionError(
            [Diagnostic.of("E602", message, Span(source, start, start + 1))]
        ) from None
    return ProtoMessage(tuple(fields_of(tree, source)))


def check_depth(source: Source) -> None:
    """Raise `DefinitionError` where messages nest deeper than any network's."""
    depth = 0
    for match in BRACES.finditer(source.text):
        depth += {"{": 1, "<": 1, "}": -1, ">": -1}.get(match[0], 0)
        if depth > DEEPEST:
            message = f"no network nests its messages deeper than {DEEPEST}"
            raise DefinitionError([Diagnostic.of("E602", message, Span(source, *match.span()))])


BRACES = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*|[{}<>]""")


def fields_of(tree: Tree[Token], source: Source) -> Iterator[Field]:
    """The fields of a message; a list gives one field for each of its values."""
    for child in tree.children:
        assert isinstance(child, Tree)
        name, *values = child.children
        assert isinstance(name, Token)
        span = Span(source, child.meta.start_pos, child.meta.end_pos)
        if child.data == "message":
            (block,) = values
            assert isinstance(block, Tree)
            yield Field(str(name), ProtoMessage(tuple(fields_of(block, source))), span)
            continue
        for value in flat(values):
            yield Field(str(name), value, span)


def flat(values: list[Any]) -> Iterator[int | float | str | bool]:
    """The values of a scalar field: strings side by side are one, a list is several."""
    tokens = [v for v in values if isinstance(v, Token)]
    if tokens and tokens[0].type == "STRING":
        yield "".join(unquoted(token) for token in tokens)
        return
    for value in values:
        if isinstance(value, Tree):
            for item in value.children:
                yield from flat([item])
        elif value is not None:
            yield plain(value)


ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
CONTROL = dict(zip(b"ntrabfv", b"\n\t\r\a\b\f\v", strict=True))


def unquoted(token: Token) -> str:
    """The characters of a string, its escapes resolved as C resolves them, to bytes of UTF-8."""

    def byte(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, other = match.groups()
        if other is not None:
            return bytes([CONTROL.get(other[0], other[0])])
        return bytes([(int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF])

    return ESCAPE.sub(byte, token[1:-1].encode()).decode("utf-8", "backslashreplace")


OCTAL = re.compile(r"[-+]?0[0-7]+")


def plain(token: Token) -> int | float | str | bool:
    """A number, a string, or a word."""
    if token.type == "STRING":
        return unquoted(token)
    if token.type == "NAME":
        return Word(token)
    text = token.rstrip("f") if not token.startswith(("0x", "-0x", "+0x")) else str(token)
    try:
        return int(text, 8 if OCTAL.fullmatch(text) else 0)
    except ValueError:
        return float(text)
