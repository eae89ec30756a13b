"""The one command for a GPU machine, on the CPU and on nets that take no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu
from benchmarks.gpu_side import SIDES


def run(
    monkeypatch: pytest.MonkeyPatch, out: Path, *arguments: str
) -> tuple[int, dict[str, Any], str]:
    call = ["gpu", "--device", "cpu", "--batch", "1", "--seconds", "0", "--out", str(out)]
    monkeypatch.setattr("sys.argv", [*call, "--jobs", "1", *arguments])
    code = gpu.main()
    return code, json.loads((out / "gpu.json").read_text()), (out / "gpu.md").read_text()


def test_it_times_and_verifies_and_writes_both_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nets = ["--nets", "lenet5", "--sides", "ours f16", "--verify", "lenet5", "--dtypes", "bf16"]
    code, report, page = run(monkeypatch, tmp_path / "out", *nets)
    assert code == 0
    (timing,), (check,) = report["timing"], report["verify"]
    assert timing["median_ms"] > 0 and timing["relative_error"] < 1e-2
    assert "nodes on CPU" in timing["how"]
    assert check["ok"] and check["layers"] == 13 and check["relative"] < 2e-2
    assert "| lenet5 | 1 | ours f16 |" in page and "| lenet5 | bf16 | 13 |" in page


def test_it_takes_the_steps_of_trainings_and_counts_their_nodes_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["--only", "training", "--trainings", "small_digits"]
    code, report, page = run(monkeypatch, tmp_path / "out", *few)
    assert code == 0
    (row,) = report["training"]
    assert row["ok"] and row["on_cpu"] > 50 and row["worst"] < 1
    assert "| small_digits | 64 |" in page


def test_a_row_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nets = ["--only", "verify", "--verify", "nothing,lenet5", "--dtypes", "f32"]
    code, report, page = run(monkeypatch, tmp_path / "out", *nets)
    assert code == 1
    assert [row["ok"] for row in report["verify"]] == [False, True]
    assert "nothing" in report["verify"][0]["error"] and "| nothing | f32 |" in page


def test_every_precision_and_both_of_pytorchs_ways_are_sides() -> None:
    assert {side.dtype for side in SIDES.values()} == {"f32", "f16", "bf16"}
    assert {side.torch for side in SIDES.values()} == {"", "eager", "compile"}


def test_without_such_a_device_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gpu", "--device", "cuda:99", "--out", str(tmp_path / "out")])
    assert gpu.main() == 3
    assert "cuda:99 cannot be had" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
