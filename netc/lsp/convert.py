"""Our answers in the protocol's own types."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import from_fs_path

from grammar.source import Source, Span
from netc.lsp.analysis import AnalysedText
from netc.lsp.calls import Signature
from netc.lsp.completion import Completion
from netc.lsp.documents import Document
from netc.lsp.hints import Hint
from netc.lsp.hover import Hover
from netc.lsp.positions import Encoding, Lines, Shifted
from netc.lsp.problems import Problem
from netc.lsp.rename import Edit
from netc.lsp.scope import Proposal
from netc.lsp.symbols import Fold, Symbol

UNUSED = ("W103", "W104", "W105")  # shown faded
SYMBOLS = {
    "net": lsp.SymbolKind.Class,
    "block": lsp.SymbolKind.Function,
    "train": lsp.SymbolKind.Event,
    "data": lsp.SymbolKind.Interface,
    "noise": lsp.SymbolKind.Interface,
    "let": lsp.SymbolKind.Constant,
    "input": lsp.SymbolKind.Interface,
    "output": lsp.SymbolKind.Interface,
}
ITEMS = {
    "op": lsp.CompletionItemKind.Function,
    "block": lsp.CompletionItemKind.Module,
    "value": lsp.CompletionItemKind.Variable,
    "tensor": lsp.CompletionItemKind.Field,
    "parameter": lsp.CompletionItemKind.Property,
    "keyword": lsp.CompletionItemKind.Keyword,
    "function": lsp.CompletionItemKind.Method,
    "file": lsp.CompletionItemKind.File,
}


class Places:
    """Spans of any text as ranges of the editor, texts as its URIs."""

    def __init__(self, opened: Iterable[Document], encoding: Encoding) -> None:
        self.encoding = encoding
        self.uris = {d.source.path: d.uri for d in opened if d.source.path}
        self._lines: dict[int, tuple[Source, Lines]] = {}

    def lines(self, source: Source) -> Lines:
        """The lines of a text."""
        if id(source) not in self._lines:
            self._lines[id(source)] = source, Lines(source.text, self.encoding)
        return self._lines[id(source)][1]

    def uri(self, source: Source) -> str:
        """The URI of a text; one that is no file is called by it."""
        path: Path | None = source.path
        if path is None:
            return source.name
        return self.uris.get(path) or str(from_fs_path(str(path)))

    def range(self, span: Span) -> lsp.Range:
        """The range of a span in its own text."""
        lines = self.lines(span.source)
        return lsp.Range(self.position(lines, span.start), self.position(lines, span.end))

    @staticmethod
    def position(lines: Lines, offset: int) -> lsp.Position:
        """An offset as a position."""
        line, character = lines.position(offset)
        return lsp.Position(line, character)

    def location(self, span: Span) -> lsp.Location:
        """A span as a place of a file."""
        return lsp.Location(self.uri(span.source), self.range(span))

    def edits(self, edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
        """Changes of texts."""
        changes: dict[str, list[lsp.TextEdit]] = {}
        for edit in edits:
            found = changes.setdefault(self.uri(edit.span.source), [])
            found.append(lsp.TextEdit(self.range(edit.span), edit.text))
        return lsp.WorkspaceEdit(changes=dict(changes))


class DocumentView(Places):
    """A document and the analysis that answers for it, which may be of an older text."""

    def __init__(
        self,
        document: Document,
        analysis: AnalysedText,
        opened: Iterable[Document],
        encoding: Encoding,
    ) -> None:
        super().__init__(opened, encoding)
        self.document = document
        self.analysis = analysis
        self.now = Lines(document.source.text, encoding)

    @cached_property
    def moved(self) -> Shifted | None:
        """How the text has changed since the analysis; None when it has not."""
        before, now = self.analysis.source.text, self.document.source.text
        return None if before == now else Shifted(before, now)

    def offset(self, position: lsp.Position) -> int:
        """The offset of a position in the text as it stands."""
        return self.now.offset(position.line, position.character)

    def shown_position(self, offset: int) -> lsp.Position | None:
        """Where an offset of the analysis stands now."""
        now = self.moved.forward(offset) if self.moved else offset
        return None if now is None else self.position(self.now, now)


def diagnostic(places: Places, problem: Problem) -> lsp.Diagnostic:
    """A problem as the editor underlines it."""
    found = problem.diagnostic
    severity = lsp.DiagnosticSeverity.Error
    if found.severity == "warning":
        severity = lsp.DiagnosticSeverity.Warning
    related = [
        lsp.DiagnosticRelatedInformation(places.location(span), text)
        for span, text in problem.related
    ]
    return lsp.Diagnostic(
        places.range(problem.span),
        problem.message,
        severity=severity,
        code=found.code,
        source="netc",
        tags=[lsp.DiagnosticTag.Unnecessary] if found.code in UNUSED else None,
        related_information=related or None,
    )


def actions(places: Places, problem: Problem) -> list[lsp.CodeAction]:
    """The fixes of a problem as quick fixes, the first of them preferred."""
    shown = [diagnostic(places, problem)]
    return [
        lsp.CodeAction(
            fix.title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=shown,
            is_preferred=index == 0,
            edit=places.edits([Edit(fix.span, fix.text)]),
        )
        for index, fix in enumerate(problem.fixes)
    ]


def inlay_hint(view: DocumentView, hint: Hint) -> lsp.InlayHint | None:
    """A hint at its place in the text as it stands."""
    position = view.shown_position(hint.offset)
    if position is None:
        return None
    return lsp.InlayHint(
        position,
        hint.label,
        kind=lsp.InlayHintKind.Type,
        tooltip=markdown(hint.tooltip),
        padding_left=True,
        padding_right=view.analysis.source.text.startswith("->", hint.offset),
    )


def hover(view: DocumentView, found: Hover) -> lsp.Hover:
    """What stands under the mouse."""
    return lsp.Hover(markdown(found.text), view.range(found.span))


def markdown(text: str) -> lsp.MarkupContent:
    """A piece of Markdown."""
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, text)


def completion(
    view: DocumentView, found: Completion, end: int, *, snippets: bool
) -> lsp.CompletionList:
    """Proposals that replace the word before the cursor."""
    start = view.position(view.now, found.start)
    replaced = lsp.Range(start, view.position(view.now, end))
    items = [completion_item(item, replaced, snippets=snippets) for item in found.items]
    return lsp.CompletionList(is_incomplete=False, items=items)


def completion_item(item: Proposal, replaced: lsp.Range, *, snippets: bool) -> lsp.CompletionItem:
    """One proposal."""
    as_snippet = snippets and item.snippet is not None
    text = item.snippet if as_snippet and item.snippet is not None else item.insert or item.label
    plain, snippet = lsp.InsertTextFormat.PlainText, lsp.InsertTextFormat.Snippet
    return lsp.CompletionItem(
        item.label,
        kind=ITEMS[item.kind],
        detail=item.detail or None,
        documentation=markdown(item.text) if item.text else None,
        sort_text=f"{item.rank}{item.order:02}{item.label}",
        filter_text=item.insert or item.label,
        text_edit=lsp.TextEdit(replaced, text),
        insert_text_format=snippet if as_snippet else plain,
    )


def signature(found: Signature) -> lsp.SignatureHelp:
    """The call that is being written."""
    parameters = [lsp.ParameterInformation(place) for place in found.places]
    active = len(parameters) if found.active is None else found.active
    information = lsp.SignatureInformation(
        found.label, markdown(found.text), parameters, active_parameter=active
    )
    return lsp.SignatureHelp([information], 0, active)


def document_symbol(view: DocumentView, symbol: Symbol) -> lsp.DocumentSymbol:
    """A line of the outline; a name must not be blank there."""
    return lsp.DocumentSymbol(
        symbol.name.strip() or '""',
        SYMBOLS.get(symbol.kind, lsp.SymbolKind.Field),
        view.range(symbol.span),
        view.range(symbol.name_span),
        symbol.detail or None,
        children=[document_symbol(view, child) for child in symbol.children],
    )


def folding_range(fold: Fold) -> lsp.FoldingRange:
    """Lines to fold."""
    kind = lsp.FoldingRangeKind.Comment if fold.comment else None
    return lsp.FoldingRange(fold.first - 1, fold.last - 1, kind=kind)
