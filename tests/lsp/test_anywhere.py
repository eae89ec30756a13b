"""Nothing that an editor may ask ends in an exception, wherever the cursor is."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.library import library_files
from netc.lsp.analysis import AnalysedText
from netc.lsp.calls import signature_at
from netc.lsp.completion import complete
from netc.lsp.hints import shape_hints
from netc.lsp.hover import hover
from netc.lsp.options import Options
from netc.lsp.problems import problems
from netc.lsp.symbols import folds, outline
from tests.lsp.texts import alone, analysed

FILES = [path for path in library_files() if path.stem in ("googlenet", "lenet5", "unet")]
EVERYTHING = Options(macs=True, receptive_field=True)


def ask(analysis: AnalysedText, text: str, offset: int) -> None:
    """Everything about one place."""
    project = alone()
    complete(project, analysis, text, offset)
    signature_at(project, analysis, text, offset)
    hover(project, analysis, offset)
    place = analysis.names.at(offset)
    if place is not None:
        here = project.text_of(analysis)
        for home in project.homes(here, place):
            list(project.occurrences(home, here))


def ask_for_all(analysis: AnalysedText) -> None:
    """Everything about a text as a whole."""
    shape_hints(analysis, 0, len(analysis.source.text), EVERYTHING)
    outline(analysis)
    folds(analysis)
    for problem in problems(analysis):
        assert problem.span.source is analysis.source
        assert problem.message
        list(problem.fixes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_place_of_a_whole_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    analysis = analysed(text)
    ask_for_all(analysis)
    for offset in range(0, len(text) + 1, 17):
        ask(analysis, text, offset)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_texts_that_are_cut_off_or_lack_a_piece(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    whole = analysed(text)
    for offset in range(0, len(text), 211):
        for broken in (text[:offset], text[:offset] + text[offset + 13 :]):
            analysis = analysed(broken)
            ask_for_all(analysis)
            ask(analysis, broken, offset)
            complete(alone(), whole, broken, offset)
