"""Names of a model that are words of the language."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.models import read_model
from tests.define import define


@pytest.mark.parametrize("word", ["in", "for", "net", "true", "else"])
def test_a_layer_called_like_a_word_of_the_language_is_quoted(word: str, tmp_path: Path) -> None:
    net = define(
        f'net n {{\n    input x: f32[3, 8, 8]\n    conv(4, 3x3) as "{word}"\n    output y\n}}\n'
    )
    text = read_model(net.compile(tmp_path / "n.onnx"))[1].text
    assert f'as "{word}"' in text
    assert f"{word}.weight" in define(text).graph.parameters()
