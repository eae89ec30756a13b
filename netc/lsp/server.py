"""The server of one editor: its life, and the texts that it is told of.

`features` answers the editor's questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from netc import __version__
from netc.lsp import convert
from netc.lsp.analysis import AnalysedText
from netc.lsp.documents import Document, Documents
from netc.lsp.options import Options
from netc.lsp.positions import Encoding
from netc.lsp.problems import problems
from netc.lsp.wire import Protocol


class Server(LanguageServer):
    """A language server; `include` are the folders of the command line in which `use` may look.

    Texts arrive whole: how the library splices pieces in differs from the protocol where a text
    has line ends of other alphabets.
    """

    def __init__(self, include: tuple[Path, ...]) -> None:
        super().__init__(
            "netc",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
        )
        self.include = include
        self.documents = Documents(self.publish, Options(include=include))
        self.was_shut_down = False
        self.was_told_to_exit = False

    def publish(self, document: Document, analysis: AnalysedText) -> None:
        """Show what a check has found."""
        places = convert.Places(self.documents.opened.values(), self.encoding)
        found = [convert.diagnostic(places, problem) for problem in problems(analysis)]
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(document.uri, found, document.version)
        )

    @property
    def encoding(self) -> Encoding:
        """The units in which the editor counts characters."""
        chosen = self.workspace.position_encoding or lsp.PositionEncodingKind.Utf16
        return lsp.PositionEncodingKind(chosen).value

    async def settled(self, uri: str) -> convert.DocumentView | None:
        """A document once it has been checked as it stands; None when it is not open."""
        document = await self.documents.current(uri)
        if document is None or document.latest is None:
            return None
        return self.view(document, document.latest)

    async def steady(self, uri: str) -> convert.DocumentView | None:
        """The same, but a text with a broken statement is answered for by what it was before."""
        document = await self.documents.current(uri)
        analysis = (document.good or document.latest) if document is not None else None
        return self.view(document, analysis) if document and analysis else None

    async def at_hand(self, uri: str) -> convert.DocumentView | None:
        """A document with what is known by now: only its first check is waited for."""
        document = self.documents.opened.get(uri)
        if document is None or document.latest is None:
            return await self.settled(uri)
        return self.view(document, document.latest)

    def view(self, document: Document, analysis: AnalysedText) -> convert.DocumentView:
        """A document in the units of the editor."""
        return convert.DocumentView(
            document, analysis, self.documents.opened.values(), self.encoding
        )


def path_of(uri: str) -> Path | None:
    """The file of a URI, symbolic links followed; None for a text that is no file."""
    try:
        found = to_fs_path(uri)
        return Path(found).resolve() if found else None
    except (OSError, ValueError):
        return None


def initialize(ls: Server, params: lsp.InitializeParams) -> None:
    """The editor says which folders it has open, and its settings."""
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    look_in(ls, uris)
    ls.documents.reconfigure(Options.of(params.initialization_options, ls.include))


def look_in(ls: Server, uris: Iterable[str]) -> None:
    """The editor has these folders open."""
    folders = [path_of(uri) for uri in uris]
    ls.documents.folders = tuple(f for f in folders if f is not None and f.is_dir())


def change_folders(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    """Folders were added or taken away; the library keeps the list."""
    look_in(ls, list(ls.workspace.folders))


def change_settings(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
    """The settings have changed."""
    ls.documents.reconfigure(Options.of(params.settings, ls.include))
    refresh_hints(ls)


def refresh_hints(ls: Server) -> None:
    """Ask the editor to fetch its hints again, where it can."""
    workspace = ls.client_capabilities.workspace
    if workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
        ls.workspace_inlay_hint_refresh(None)


def open_text(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    """A text was opened."""
    document = params.text_document
    ls.documents.put(document.uri, path_of(document.uri), document.text, document.version)


def change_text(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    """A text was edited."""
    uri = params.text_document.uri
    text = ls.workspace.get_text_document(uri).source
    ls.documents.put(uri, path_of(uri), text, params.text_document.version)


def close_text(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    """A text was closed: its problems go with it."""
    uri = params.text_document.uri
    ls.documents.close(uri)
    ls.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def change_files(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
    """Files have changed outside the editor."""
    for change in params.changes:
        path = path_of(change.uri)
        if change.type == lsp.FileChangeType.Created:
            ls.documents.recheck()
        elif path is not None:
            ls.documents.changed(path)
    refresh_hints(ls)


def shut_down(ls: Server, params: None) -> None:
    """The editor is about to end the server."""
    ls.was_shut_down = True


def leave(ls: Server, params: None) -> None:
    """The editor ends the server."""
    ls.was_told_to_exit = True


LIFE: dict[str, Any] = {
    lsp.INITIALIZE: initialize,
    lsp.WORKSPACE_DID_CHANGE_CONFIGURATION: change_settings,
    lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: change_folders,
    lsp.TEXT_DOCUMENT_DID_OPEN: open_text,
    lsp.TEXT_DOCUMENT_DID_CHANGE: change_text,
    lsp.TEXT_DOCUMENT_DID_CLOSE: close_text,
    lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: change_files,
    lsp.SHUTDOWN: shut_down,
    lsp.EXIT: leave,
}
