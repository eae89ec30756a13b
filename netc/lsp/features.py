"""The editor's questions, each answered by one function over the parts that know."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from netc.lsp import convert
from netc.lsp.calls import signature_at
from netc.lsp.completion import complete
from netc.lsp.convert import DocumentView
from netc.lsp.formatting import formatted
from netc.lsp.hints import shape_hints
from netc.lsp.hover import hover
from netc.lsp.problems import problems
from netc.lsp.project import Home, ParsedText, Project
from netc.lsp.rename import RenameRefused, rename, renamed_at
from netc.lsp.server import LIFE, Server
from netc.lsp.symbols import folds, outline
from netc.lsp.wire import Messages

AtPosition = lsp.DefinitionParams | lsp.ReferenceParams | lsp.DocumentHighlightParams
CONTENT_MODIFIED = int(lsp.LSPErrorCodes.ContentModified)
REQUEST_FAILED = int(lsp.LSPErrorCodes.RequestFailed)

P = TypeVar("P")
R = TypeVar("R")
Look: TypeAlias = Callable[[Server, str], Awaitable[DocumentView | None]]


def of(look: Look) -> Callable[[Callable[[Server, DocumentView, P], Awaitable[R]]], Any]:
    """An answer about a text as the server sees it then; None where it knows no such text."""

    def answers(answer: Callable[[Server, DocumentView, P], Awaitable[R]]) -> Any:
        async def handler(ls: Server, params: Any) -> R | None:
            view = await look(ls, params.text_document.uri)
            return None if view is None else await answer(ls, view, params)

        return handler

    return answers


@of(Server.steady)
async def show_hints(
    ls: Server, view: DocumentView, params: lsp.InlayHintParams
) -> list[lsp.InlayHint] | None:
    """The shapes behind the stages of a range."""
    start, end = view.offset(params.range.start), view.offset(params.range.end)
    if view.moved:
        start, end = view.moved.backward(start), view.moved.backward(end)
    hints = shape_hints(view.analysis, start, end, ls.documents.options)
    placed = [convert.inlay_hint(view, hint) for hint in hints]
    return [hint for hint in placed if hint is not None]


@of(Server.settled)
async def show_hover(ls: Server, view: DocumentView, params: lsp.HoverParams) -> lsp.Hover | None:
    """What stands under the mouse."""
    found = hover(ls.documents.project(), view.analysis, view.offset(params.position))
    return None if found is None else convert.hover(view, found)


@of(Server.at_hand)
async def show_completion(
    ls: Server, view: DocumentView, params: lsp.CompletionParams
) -> lsp.CompletionList | None:
    """What may be written at the cursor."""
    offset = view.offset(params.position)
    found = complete(ls.documents.project(), view.analysis, view.document.source.text, offset)
    return convert.completion(view, found, offset, snippets=takes_snippets(ls))


def takes_snippets(ls: Server) -> bool:
    """Whether the editor can fill in the places of a snippet."""
    text = ls.client_capabilities.text_document
    item = text.completion.completion_item if text and text.completion else None
    return bool(item and item.snippet_support)


@of(Server.at_hand)
async def show_signature(
    ls: Server, view: DocumentView, params: lsp.SignatureHelpParams
) -> lsp.SignatureHelp | None:
    """The call that is being written."""
    text, offset = view.document.source.text, view.offset(params.position)
    found = signature_at(ls.documents.project(), view.analysis, text, offset)
    return None if found is None else convert.signature(found)


def homes_at(
    ls: Server, view: DocumentView, params: AtPosition
) -> tuple[Project, ParsedText, list[Home]]:
    """What the name at a position means."""
    project = ls.documents.project()
    text = project.text_of(view.analysis)
    place = view.analysis.names.at(view.offset(params.position))
    return project, text, project.homes(text, place) if place is not None else []


@of(Server.settled)
async def go_to_definition(
    ls: Server, view: DocumentView, params: lsp.DefinitionParams
) -> list[lsp.Location] | None:
    """Where the name at a position is defined; the file that a `use` names."""
    project, text, homes = homes_at(ls, view, params)
    if homes:
        return [view.location(home.definition.span) for home in homes]
    file = project.file_named_at(text, view.offset(params.position))
    start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    return [lsp.Location(view.uri(file.source), start)] if file is not None else []


@of(Server.settled)
async def find_references(
    ls: Server, view: DocumentView, params: lsp.ReferenceParams
) -> list[lsp.Location] | None:
    """Every place that means what the name at a position means."""
    project, text, homes = homes_at(ls, view, params)
    places = [(h, place) for h in homes for place in project.occurrences(h, text)]
    with_own = params.context.include_declaration
    kept = [span for h, (_, span) in places if with_own or span != h.definition.span]
    return [view.location(span) for span in dict.fromkeys(kept)]


@of(Server.settled)
async def highlight(
    ls: Server, view: DocumentView, params: lsp.DocumentHighlightParams
) -> list[lsp.DocumentHighlight] | None:
    """The places of this text that mean what the name at a position means."""
    project, text, homes = homes_at(ls, view, params)
    spans = [span for h in homes for owner, span in project.occurrences(h, text) if owner is text]
    return [lsp.DocumentHighlight(view.range(span)) for span in dict.fromkeys(spans)]


@of(Server.settled)
async def prepare_rename(
    ls: Server, view: DocumentView, params: lsp.PrepareRenameParams
) -> lsp.Range | None:
    """Whether the name at a position can be changed."""
    project = ls.documents.project()
    try:
        offset = view.offset(params.position)
        return view.range(renamed_at(project, project.text_of(view.analysis), offset)[0])
    except RenameRefused as refused:
        raise JsonRpcException(str(refused), REQUEST_FAILED) from None


@of(Server.settled)
async def rename_everywhere(
    ls: Server, view: DocumentView, params: lsp.RenameParams
) -> lsp.WorkspaceEdit | None:
    """A new name for what is named at a position."""
    project = ls.documents.project()
    text, offset = project.text_of(view.analysis), view.offset(params.position)
    try:
        edits = await ls.documents.apart(lambda: rename(project, text, offset, params.new_name))
    except RenameRefused as refused:
        raise JsonRpcException(str(refused), REQUEST_FAILED) from None
    if view.document.source is not view.analysis.source:
        raise JsonRpcException("the text was edited in the meantime", CONTENT_MODIFIED)
    return view.edits(edits)


@of(Server.settled)
async def show_outline(
    ls: Server, view: DocumentView, params: lsp.DocumentSymbolParams
) -> list[lsp.DocumentSymbol] | None:
    """The outline of a text."""
    return [convert.document_symbol(view, symbol) for symbol in outline(view.analysis)]


@of(Server.settled)
async def show_folds(
    ls: Server, view: DocumentView, params: lsp.FoldingRangeParams
) -> list[lsp.FoldingRange] | None:
    """What can be folded away."""
    return [convert.folding_range(fold) for fold in folds(view.analysis)]


@of(Server.settled)
async def show_actions(
    ls: Server, view: DocumentView, params: lsp.CodeActionParams
) -> list[lsp.CodeAction] | None:
    """The fixes of the problems in a range."""
    only = params.context.only
    if only is not None and not any(kind in ("", "quickfix") for kind in only):
        return []
    start, end = view.offset(params.range.start), view.offset(params.range.end)
    found = [p for p in problems(view.analysis) if p.span.start <= end and start <= p.span.end]
    return [action for problem in found for action in convert.actions(view, problem)]


@of(Server.settled)
async def format_text(
    ls: Server, view: DocumentView, params: lsp.DocumentFormattingParams
) -> list[lsp.TextEdit] | None:
    """The change to the house style."""
    edit = formatted(view.document.source)
    return [] if edit is None else [lsp.TextEdit(view.range(edit.span), edit.text)]


FEATURES: dict[str, tuple[Any, Any]] = {
    lsp.TEXT_DOCUMENT_INLAY_HINT: (show_hints, None),
    lsp.TEXT_DOCUMENT_HOVER: (show_hover, None),
    lsp.TEXT_DOCUMENT_COMPLETION: (
        show_completion,
        lsp.CompletionOptions(trigger_characters=[".", '"', ">", "=", "/"]),
    ),
    lsp.TEXT_DOCUMENT_SIGNATURE_HELP: (
        show_signature,
        lsp.SignatureHelpOptions(trigger_characters=["(", ","]),
    ),
    lsp.TEXT_DOCUMENT_DEFINITION: (go_to_definition, None),
    lsp.TEXT_DOCUMENT_REFERENCES: (find_references, None),
    lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (highlight, None),
    lsp.TEXT_DOCUMENT_PREPARE_RENAME: (prepare_rename, None),
    lsp.TEXT_DOCUMENT_RENAME: (rename_everywhere, lsp.RenameOptions(prepare_provider=True)),
    lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (show_outline, None),
    lsp.TEXT_DOCUMENT_FOLDING_RANGE: (show_folds, None),
    lsp.TEXT_DOCUMENT_FORMATTING: (format_text, None),
    lsp.TEXT_DOCUMENT_CODE_ACTION: (
        show_actions,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    ),
}


def serve(include: tuple[Path, ...]) -> bool:
    """Talk to an editor over standard input and output until it ends the talk.

    Returns whether the end was a good one: the editor asked for it in the order that the protocol
    wants, or is no longer there.
    """
    # What an editor sends wrongly is answered; the library's stack traces of it help nobody, and
    # fill a pipe that an editor need not read.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    server = Server(include)
    for name, handler in LIFE.items():
        server.feature(name)(handler)
    for name, (handler, options) in FEATURES.items():
        server.feature(name, options)(handler)
    server.start_io(cast(BinaryIO, Messages(sys.stdin.buffer)))
    return server.was_shut_down or not server.was_told_to_exit
