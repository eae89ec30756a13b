"""What the benchmarks measure is there: the words they edit, the models they make long."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.language_server import texts
from benchmarks.long_models import MODELS
from netc.importing import import_model


def test_the_words_that_are_edited_stand_in_their_texts() -> None:
    edits = [(text, old) for text in texts() for _, old, _ in text.edits]
    assert len(edits) >= 7
    assert [old for text, old in edits if old not in text.text] == []


@pytest.mark.parametrize("kind", MODELS)
def test_a_long_model_is_one_that_can_be_imported(kind: str, tmp_path: Path) -> None:
    suffix, layers, content = MODELS[kind]
    path = tmp_path / f"m{suffix}"
    path.write_bytes(content(20))
    _, defined, _ = import_model(path, {})
    assert len(defined.graph) > 20 * layers * 3 // 4
