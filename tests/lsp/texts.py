"""Texts to analyse, with a mark `|` where the editor's cursor is."""

from __future__ import annotations

from pathlib import Path

from compiler.files import Files
from grammar.source import Source
from netc.lsp.analysis import AnalysedText, analyse
from netc.lsp.project import ParsedText, Project

HALVES = """\
# A convolution that may halve the map.
block unit(c, stride=1) {
    conv(c, 3x3, stride=stride, pad=1) -> relu
}

net n {
    input image: f32[3, 8, 8]
    unit(4) as first
    repeat 2 { unit(8, stride=2) }
    output y
}
"""


def analysed(text: str, path: Path | None = None) -> AnalysedText:
    """The analysis of a text without its mark."""
    return analyse(Source(path.name if path else "t.netdef", text.replace("|", ""), path))


def marked(text: str, path: Path | None = None) -> tuple[AnalysedText, int]:
    """The analysis of a text, and the offset of its mark."""
    return analysed(text, path), text.index("|")


def alone() -> Project:
    """A project that has no files."""
    return Project(Files())


def folder(path: Path, **texts: str) -> Project:
    """A project of the files `NAME.netdef` in a folder, written there."""
    for name, text in texts.items():
        (path / f"{name}.netdef").write_text(text, encoding="utf-8")
    root = path.resolve()
    return Project(Files(), paths=lambda: sorted(root.glob("*.netdef")))


def file_of(project: Project, path: Path, name: str) -> ParsedText:
    """One of the files of a folder."""
    text = project.text((path / f"{name}.netdef").resolve())
    assert text is not None
    return text
