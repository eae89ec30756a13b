"""The texts that are open in the editor, each checked in the background as it is edited."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from compiler.files import Files, is_regular, real
from compiler.symbols.names import Names
from grammar import syntax as s
from grammar.source import Source
from netc.lsp.analysis import AnalysedText, analyse
from netc.lsp.options import Options
from netc.lsp.project import ParsedText, Project

STACK = 64 * 2**20  # bytes for the thread that checks: nets are unrolled by recursion
MOST_FILES = 2000
SKIPPED = ("node_modules", "build", "dist", "__pycache__")

Result = TypeVar("Result")
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Document:
    """One open text.

    `latest` is its last analysis, `outdated` when a file that it uses has changed since; `good` is
    the last one of a text without a broken statement.
    """

    uri: str
    source: Source
    version: int | None
    latest: AnalysedText | None = None
    good: AnalysedText | None = None
    outdated: bool = False
    checked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_current(self) -> bool:
        """Whether the last analysis is of the text as it stands."""
        checked = self.latest is not None and self.latest.source is self.source
        return checked and not self.outdated


class Documents:
    """All open texts; `publish` is told of each that has been checked.

    One thread checks, the text edited last first; a result that an edit has overtaken is dropped.
    """

    def __init__(self, publish: Callable[[Document, AnalysedText], None], options: Options) -> None:
        self.publish = publish
        self.options = options
        self.folders: tuple[Path, ...] = ()
        self.opened: dict[str, Document] = {}
        self._texts: dict[Path, ParsedText] = {}
        self._waiting: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(1, "check")
        before = threading.stack_size(STACK)
        self._pool.submit(int).result()  # the thread is made here
        threading.stack_size(before)

    # ── what the editor tells ────────────────────────────────────────────────────────────────

    def put(self, uri: str, path: Path | None, text: str, version: int | None) -> None:
        """A text was opened or edited."""
        source = Source(path.name if path else uri, text, path)
        document = self.opened.get(uri)
        if document is None:
            self.opened[uri] = Document(uri, source, version)
        else:
            document.source, document.version = source, version
        self.check(uri)
        if path is not None:
            self.changed(path)

    def close(self, uri: str) -> None:
        """A text was closed."""
        document = self.opened.pop(uri, None)
        self._waiting.pop(uri, None)
        if document is not None:
            document.checked.set()
            if document.source.path is not None:
                self.changed(document.source.path)

    def changed(self, path: Path) -> None:
        """A file has another text: whatever uses it is checked again."""
        for uri, document in self.opened.items():
            if document.latest is not None and path in document.latest.used:
                document.outdated = True
                self.check(uri)

    def reconfigure(self, options: Options) -> None:
        """The settings have changed."""
        elsewhere = options.include != self.options.include
        self.options = options
        if elsewhere:
            self.recheck()

    def recheck(self) -> None:
        """Check every open text again, since other files may be found now."""
        for uri, document in self.opened.items():
            document.outdated = True
            self.check(uri)

    # ── checking ─────────────────────────────────────────────────────────────────────────────

    def check(self, uri: str) -> None:
        """Check a text soon, before those that wait already."""
        self.opened[uri].checked.clear()
        self._waiting = {uri: None, **self._waiting}
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def current(self, uri: str) -> Document | None:
        """A document once its text as it stands has been checked; None when it is not open."""
        while (document := self.opened.get(uri)) is not None and not document.is_current:
            await document.checked.wait()
        return document

    async def apart(self, work: Callable[[], Result]) -> Result:
        """What some work results in, done in the thread that checks."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            uri = next(iter(self._waiting))
            del self._waiting[uri]
            document = self.opened[uri]
            source, files = document.source, self.files()
            document.outdated = False
            try:
                analysis = await loop.run_in_executor(self._pool, analyse, source, files)
            except Exception:  # a fault of ours must not take the editor's server down
                log.exception("%s could not be checked", uri)
                analysis = empty(source)
            if self.opened.get(uri) is document and document.source is source:
                document.latest = analysis
                document.good = analysis if analysis.is_whole else document.good
                document.checked.set()
                self.publish(document, analysis)

    # ── files ────────────────────────────────────────────────────────────────────────────────

    def files(self) -> Files:
        """What a text may read: open files, saved or not, as they stand in the editor now."""
        texts = {d.source.path: d.source for d in self.opened.values() if d.source.path}
        return Files(self.options.include, texts)

    def project(self) -> Project:
        """The texts of the editor's folders, open ones as they stand."""
        return Project(self.files(), self.paths, self._texts)

    def paths(self) -> Iterable[Path]:
        """Every definition file there is: open, beside an open one, in the editor's folders."""
        found = {d.source.path: None for d in [*self.opened.values()] if d.source.path}
        for folder in dict.fromkeys([path.parent for path in found]):
            found |= dict.fromkeys(definitions(folder, sorted(folder.glob("*.netdef"))))
        for folder in self.folders:
            for path in definitions(folder, folder.rglob("*.netdef")):
                found[path] = None
                if len(found) >= MOST_FILES:
                    return found
        return found


def definitions(folder: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Those of a folder's paths that a definition there could name, symbolic links followed."""
    for path in paths:
        parts = path.relative_to(folder).parts
        if not any(part.startswith(".") or part in SKIPPED for part in parts):
            place = real(path)
            if place.is_relative_to(real(folder)) and is_regular(place):
                yield place


def empty(source: Source) -> AnalysedText:
    """An analysis that says nothing."""
    names = Names((), ())
    return AnalysedText(source, s.File(source, ()), names, (), (), frozenset(), Files())
