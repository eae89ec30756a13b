"""Every command and program of docs/learning.md does what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from compiler.driver import check_training, load
from grammar.source import Source
from tests.netc.command import netc

PAGE = (Path(__file__).parents[2] / "docs" / "learning.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def numberless(text: str) -> list[str]:
    """The lines without numbers (which a machine, or a version of a library, may change)."""
    text = re.sub(r"-?\d[\d,]*(\.\d+)?(e-?\d+)?", "0", text)
    text = re.sub(r"at (gradient of )?small[.\w]+", "at …", text)
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_every_training_of_the_page_checks() -> None:
    names = []
    for text in blocks("netdef"):
        for item in load(Source("page.netdef", text)).trainings():
            names.append(item.name)
            assert check_training(item).diagnostics == ()
    assert names == ["digits", "gan"]


def test_the_page_is_true_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("digits", "gan"), blocks("netdef"), strict=True):
        Path(f"{name}.netdef").write_text(text, encoding="utf-8")
    names: dict[str, Any] = {}
    commands = 0
    for kind, text in re.findall(r"```(python|console)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "python":
            exec(compile(text, "learning.md", "exec"), names)
            continue
        for call in text.split("$ ")[1:]:
            line, _, expected = call.partition("\n")
            result = netc(*shlex.split(line)[1:])
            assert result.exit_code == 0 or "--epochs" in line, result.output
            said = [row for row in numberless(result.stdout) if row]
            assert said == numberless(expected), line
            commands += 1
    assert commands == 9
    assert names["probs"].shape == (1797, 10)
    assert names["saliency"].shape == (8, 8, 8)
    assert Path("gan/samples.0002.png").exists()
