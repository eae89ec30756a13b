"""Text to syntax tree, every syntax mistake located and explained.

Lark's LALR parser, from kept tables (`tables.py`), with its contextual lexer (`lexer.py`). A
broken statement is reported, stands in the tree as `Broken`, and the rest is parsed as if nothing
had been.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from lark import Lark, UnexpectedInput

from grammar.build import TreeBuilder, Unbuildable, broken
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.encodings import looks_like
from grammar.lexemes import offset_beyond
from grammar.records import dataclass
from grammar.source import Source, Span
from grammar.syntax import Expression, File
from grammar.tables import load_parser

MOST_WORDS = 100_000  # in a file; about 1.5 seconds


@dataclass(frozen=True)
class Parsed:
    """What could be read of a file, and what is wrong with the rest, in the order of the text."""

    file: File
    diagnostics: tuple[Diagnostic, ...]

    def whole(self) -> File:
        """The tree of a file without a mistake; raises `DefinitionError` with all there are."""
        if self.diagnostics:
            raise DefinitionError(self.diagnostics)
        return self.file


@cache
def _parser() -> Lark:
    return load_parser()


def parse(source: Source) -> Parsed:
    """The syntax tree of a definition file, and every syntax mistake once."""
    refusal = _refusal(source)
    if refusal is not None:
        nothing = broken(Span(source, 0, len(source.text)))
        return Parsed(File(source, (nothing,)), (refusal,))
    text = source.text if source.text.endswith("\n") else source.text + "\n"
    if text.startswith("\ufeff"):
        text = " " + text[1:]
    builder = TreeBuilder(source, _expression_tree)
    with _no_collector():
        tree, found = _lark_tree(source, text)
        file = builder.file(tree)
    found += builder.diagnostics
    return Parsed(file, tuple(sorted(found, key=lambda d: d.span.start)))


def _lark_tree(source: Source, text: str) -> tuple[Any, list[Diagnostic]]:
    """Lark's tree of a text, and what is broken in it."""
    try:
        return _parser().parse(text, start="start"), []
    except UnexpectedInput as mistake:
        from grammar.recover import parse_past  # a text without a mistake does not need it

        return parse_past(source, text, _parser(), mistake)


def parse_expression(text: str, name: str = "value") -> Expression:
    """The tree of one expression, as `--set` takes it; raises `DefinitionError`."""
    source = Source(name, text)
    try:
        return TreeBuilder(source, _expression_tree).expression(_expression_tree(text))
    except Unbuildable as error:
        raise DefinitionError([error.diagnostic]) from None
    except ValueError as error:
        offset = min(error.args[0], max(0, len(text) - 1))
        help = 'values are written as in a definition: 10, 0.5, true, "text", [1, 2]'
        span = Span(source, offset, offset + 1)
        found = Diagnostic.of("E101", "this is no value", span, help=help)
        raise DefinitionError([found]) from None


def _expression_tree(text: str) -> Any:
    """Lark's tree of an expression; raises ValueError with the offset of what does not fit."""
    try:
        return _parser().parse(text, start="expression")
    except UnexpectedInput as error:
        position = error.pos_in_stream
        raise ValueError(position if isinstance(position, int) else len(text)) from None


def _refusal(source: Source) -> Diagnostic | None:
    """Why a file is not parsed at all: it is no UTF-8 text, or far too large."""
    text = source.text
    foreign = None if text.isascii() else re.search("[\ud800-\udfff]", text)
    if foreign is not None:
        byte, meant = ord(foreign.group()) - 0xDC00, looks_like(text)
        return Diagnostic.of(
            "E102",
            "this is no UTF-8 text",
            Span(source, foreign.start(), foreign.end()),
            label=f"the byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else "half a character",
            help=f"it looks like {meant}: save it as UTF-8" if meant else "save the file as UTF-8",
        )
    if text[1:2] == "\0" and (meant := looks_like(text)) is not None:
        head = Span(source, 0, 1)
        help = f"it looks like {meant}: save it as UTF-8"
        return Diagnostic.of("E102", "this is no UTF-8 text", head, help=help)
    beyond = offset_beyond(text, MOST_WORDS) if len(text) > MOST_WORDS else None
    if beyond is None:
        return None
    return Diagnostic.of(
        "E104",
        f"a file has more than {MOST_WORDS:,} words, signs and comments",
        Span(source, beyond, beyond + 1),
        help="split it into several files, or write the repetition as a loop",
    )


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without Python's cycle collector, which would visit the growing tree again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
