"""A text in the house style, as the one change that an editor makes."""

from __future__ import annotations

from grammar.diagnostics import DefinitionError
from grammar.format import format_source
from grammar.source import Source, Span
from netc.lsp.positions import Shifted
from netc.lsp.rename import Edit


def formatted(source: Source) -> Edit | None:
    """The change from a text to its formatted form, line ends as they are; None for none.

    A text with a syntax error stays as it is.
    """
    try:
        text = format_source(source)
    except DefinitionError:
        return None
    if "\r\n" in source.text:
        text = text.replace("\n", "\r\n")
    head, tail = Shifted(source.text, text).kept
    if source.text == text:
        return None
    return Edit(Span(source, head, len(source.text) - tail), text[head : len(text) - tail])
