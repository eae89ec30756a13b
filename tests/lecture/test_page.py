"""docs/lecture.md: its commands run from top to bottom, and what it claims is so."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.netc.command import netc

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "lecture.md").read_text(encoding="utf-8")


def test_the_page_is_true_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS / "photograph.jpg", "photograph.jpg")
    names: dict[str, Any] = {}
    for kind, text in re.findall(r"```(netdef|python|console)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "netdef":
            Path(text.split()[1]).write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, "lecture.md", "exec"), names)
        else:
            for line in text.splitlines():
                result = netc(*shlex.split(line)[2:])
                assert result.exit_code == 0, result.output
    check_what_is_shown(names)


def test_every_training_of_the_page_checks(tmp_path: Path) -> None:
    for text in re.findall(r"```netdef\n(.*?)```", PAGE, re.DOTALL):
        path = tmp_path / text.split()[1]
        path.write_text(text, encoding="utf-8")
        result = netc("check", path)
        assert result.exit_code == 0, result.stderr


def tables_of(text: str) -> list[list[list[float]]]:
    """The tables of numbers of a page, in order."""
    tables = re.findall(r"(?<=--- \|\n)(?:\|(?: -?[\d.]+ \|)+\n)+", text)
    return [[[*map(float, row.split("|")[1:-1])] for row in t.splitlines()] for t in tables]


def accuracies_of(text: str) -> list[tuple[float, ...]]:
    """The numbers of the table on dropout."""
    rows = re.findall(r"^\| with\w*(?: dropout)? \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert len(rows) == 2
    return [tuple(map(float, row)) for row in rows]


def test_every_picture_of_the_page_is_there() -> None:
    shown = re.findall(r"!\[.+\]\((.+)\)", PAGE)
    assert shown == ["depth.svg", "regions.png", "gan.png", "dcgan.png", "parts.png"]
    for name in shown:
        assert (DOCS / name).is_file()


def check_what_is_shown(names: dict[str, Any]) -> None:
    """What the texts of the page claim of the numbers that its programs found."""
    for written, found in zip(tables_of(PAGE), names["tables"], strict=True):
        np.testing.assert_allclose(np.squeeze(found), written, atol=1e-6)
    assert names["loss"].value == 0.0625
    anew = names["before"].with_weights({"kernel.weight": names["after"]})
    (y,) = anew.run(names["sample"]["image"], device="cpu")["y"].ravel()
    assert (round(float(y), 3), round(float(y - 1) ** 2, 4)) == (1.053, 0.0028)
    gaussian = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    np.testing.assert_allclose(names["kernel"][0, 0], gaussian, atol=1e-3)
    plain, residual = (names["norms"][name] for name in ("plain", "residual"))
    assert len(plain) == len(residual) == 55  # and the dense layer
    assert plain[0] > 100 * plain[-1]
    assert residual[0] < 10 * residual[-1]
    assert max(residual) < 20 * min(residual)
    assert Path("depth.svg").read_text().count("<polyline") == 2
    assert all(right > 0.9 for right in names["right"].values())
    assert all(0.2 < shown.mean() < 0.8 for shown in names["shown"].values())
    (kept, kept_held), (dropped, dropped_held) = (names["accuracy"][n] for n in ("kept", "dropped"))
    assert kept > 0.9 > dropped  # of labels of which three in ten are wrong
    assert dropped_held > kept_held
    both = (kept, kept_held), (dropped, dropped_held)
    np.testing.assert_allclose(both, accuracies_of(PAGE), atol=0.1)
    assert Image.open("regions.png").size == (392, 192)
    assert names["count"] == len(names["parts"]) == 2048
    assert Image.open("parts.png").size == (7 * 112, 112)
    assert Path("gan.png").exists()
    assert Path("deep/samples.0002.png").exists()
    noise, *_, last = names["grids"]
    assert noise.shape == last.shape == (71, 71)
    assert not np.array_equal(noise, last)
