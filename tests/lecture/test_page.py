"""docs/lecture.md: its commands run from top to bottom, and what it claims is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.netc.command import netc

PAGE = (Path(__file__).parents[2] / "docs" / "lecture.md").read_text(encoding="utf-8")


def test_the_page_is_true_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
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
    gaussian = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    np.testing.assert_allclose(names["kernel"][0, 0], gaussian, atol=1e-3)
    plain, residual = (names["norms"][name] for name in ("plain", "residual"))
    assert len(plain) == len(residual) == 55  # and the dense layer
    assert plain[0] > 100 * plain[-1]
    assert residual[0] < 10 * residual[-1]
    assert max(residual) < 20 * min(residual)
