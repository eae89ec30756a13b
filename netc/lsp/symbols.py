"""The outline of a text, and what can be folded away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.ops.base import show_shape
from compiler.symbols.names import Kind, NameDefinition
from grammar import syntax as s
from grammar.source import Source, Span
from netc.lsp.analysis import AnalysedText, nodes
from netc.lsp.describe import block_slots
from netc.lsp.hover import shape_of

SHOWN: tuple[Kind, ...] = ("let", "input", "data", "noise", "output", "tensor", "label", "pattern")


@dataclass(frozen=True)
class Symbol:
    """A line of the outline: `span` covers all that belongs to it, `name_span` its name."""

    name: str
    kind: Kind
    detail: str
    span: Span
    name_span: Span
    children: tuple[Symbol, ...] = ()


def outline(analysis: AnalysedText) -> list[Symbol]:
    """The blocks, nets and values of a text; in each its named tensors with their shapes."""
    return [
        symbol(analysis, definition)
        for definition in analysis.names.definitions
        if definition.owner is None and definition.kind != "used"
    ]


def symbol(analysis: AnalysedText, definition: NameDefinition) -> Symbol:
    """A definition with what it holds."""
    node, detail = definition.node, ""
    if definition.kind in ("block", "net", "train") and isinstance(node, s.Definition):
        slots = ", ".join(map(str, block_slots(node)))
        detail = f"({slots})" if slots else ""
    elif (shape := shape_of(analysis, definition)) is not None:
        detail = show_shape(shape)
    children = tuple(
        symbol(analysis, inner)
        for inner in analysis.names.definitions
        if inner.owner is definition and inner.kind in SHOWN
    )
    span = definition.span
    return Symbol(definition.name, definition.kind, detail, node.span, span, children)


@dataclass(frozen=True)
class Fold:
    """Lines (from 1) that can be folded into the first of them."""

    first: int
    last: int
    comment: bool = False


def folds(analysis: AnalysedText) -> list[Fold]:
    """Bodies and lists over several lines, and runs of comment lines."""
    found = list(comment_runs(analysis.source))
    for node in nodes(analysis.file):
        if isinstance(node, s.Body | s.ListDisplay):
            first, last = node.span.line, node.span.last[0]
            last -= isinstance(node, s.Body)  # its closing brace stays
            if last > first:
                found.append(Fold(first, last))
    return sorted(set(found), key=lambda fold: (fold.first, fold.last))


def comment_runs(source: Source) -> Iterator[Fold]:
    """Two and more comment lines one below the other."""
    first = 0
    lines = [*source.text.split("\n"), ""]
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("#"):
            first = first or number
        elif first:
            if number - first > 1:
                yield Fold(first, number - 1, comment=True)
            first = 0
