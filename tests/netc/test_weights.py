"""`netc weights`, and `--weights` with renames where weights are taken."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import netc as package
from tests.netc.command import netc

NET = """
net n {
    input x: f32[3, 8, 8]
    conv(2, 3x3) as stem -> bn as norm -> gap -> flatten -> dense(3) as head
    output y
}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The definition, its weights under another prefix, and an input; the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("n.netdef").write_text(NET)
    weights = package.load("n.netdef").weights
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        f"net.{name}": np.abs(random.standard_normal(array.shape)).astype(np.float32)
        for name, array in weights.items()
    }
    save_file(arrays, "w.safetensors")
    np.save("x.npy", random.standard_normal((2, 3, 8, 8)))
    Path("rules.txt").write_text("# ours\nnet.*=*\n")
    return tmp_path


def test_the_names_shapes_and_kinds_are_listed(here: Path) -> None:
    said = netc("weights", "n.netdef").stdout
    assert "stem.weight" in said and "[2, 3, 3, 3]" in said and "buffer" in said
    listed = json.loads(netc("weights", "n.netdef", "--format", "json").stdout)
    assert listed["net"] == "n"
    assert listed["arrays"][0] == {
        "name": "stem.weight",
        "shape": [2, 3, 3, 3],
        "kind": "parameter",
        "op": "conv",
        "line": 4,
    }
    kinds = {entry["name"]: entry["kind"] for entry in listed["arrays"]}
    assert kinds["norm.running_var"] == "buffer" and len(kinds) == 8


def test_a_file_is_compared_and_renames_are_suggested(here: Path) -> None:
    result = netc("weights", "n.netdef", "--compare", "w.safetensors")
    assert result.exit_code == 2
    assert "do not fit n: 8 missing, 8 surplus" in result.stdout
    assert '  help: --rename "net.*=*"' in result.stdout
    report = netc("weights", "n.netdef", "--compare", "w.safetensors", "--format", "json")
    found = json.loads(report.stdout)
    assert not found["ok"] and found["renames"] == ["net.*=*"] and len(found["complaints"]) == 16
    missing = next(c for c in found["complaints"] if c["name"] == "head.bias")
    assert missing["kind"] == "missing" and missing["nearest"] == "net.head.bias"


def test_what_does_not_fit_is_said_at_once_and_steers_no_terminal(here: Path) -> None:
    arrays = dict(package.load("n.netdef").weights)
    arrays["head.weigth\x1b[31m"] = arrays.pop("head.weight")
    arrays["stem.weight"] = arrays["stem.weight"][:1]
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(whole, "w.safetensors")
    result = netc("compile", "n.netdef", "--weights", "w.safetensors", "-o", "n.onnx")
    assert result.exit_code == 2 and not Path("n.onnx").exists() and "\x1b" not in result.stderr
    assert "1 missing, 1 surplus, 1 misshapen" in result.stderr
    assert "missing    head.weight [3, 2], nearest: head.weigth\\x1b[31m" in result.stderr
    assert "stem.weight is [1, 3, 3, 3], the network needs [2, 3, 3, 3]" in result.stderr


def test_a_file_of_very_many_names_is_still_told_of_quickly(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.weights.fit.MOST_PAIRS", 8 * 100)
    save_file({f"a{index}": np.zeros(1, np.float32) for index in range(101)}, "w.safetensors")
    said = netc("weights", "n.netdef", "--compare", "w.safetensors").stdout
    assert "8 missing, 101 surplus" in said and "nearest" not in said and "--rename" not in said


@pytest.mark.parametrize("how", [["--rename", "net.*=*"], ["--rename-file", "rules.txt"]])
def test_renames_make_it_fit(here: Path, how: list[str]) -> None:
    result = netc("weights", "n.netdef", "--compare", "w.safetensors", *how)
    assert (result.exit_code, result.stdout) == (
        0,
        "all 8 arrays of n are there, in their shapes\n",
    )


@pytest.mark.parametrize("how", [["--rename", "net.*=*"], ["--rename-file", "rules.txt"]])
def test_run_and_compile_take_renamed_weights(here: Path, how: list[str]) -> None:
    given = ["--weights", "w.safetensors", *how]
    said = netc("run", "n.netdef", *given, "--input", "x.npy", "--out", "y.npy")
    assert said.exit_code == 0 and "initial weights" not in said.stdout
    assert netc("compile", "n.netdef", *given, "-o", "n.onnx").exit_code == 0
    assert netc("run", "n.onnx", "--input", "x.npy", "--out", "z.npy").exit_code == 0
    net = package.load("n.netdef").with_weights("w.safetensors", rename=["net.*=*"])
    wanted = net.run(np.load("x.npy"), device="numpy")["y"]
    for file in ("y.npy", "z.npy"):
        np.testing.assert_allclose(np.load(file), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["compile", "n.netdef", "--weights", "w.safetensors", "-o", "n.onnx"], 2, "8 missing"),
        (["run", "n.netdef", "--weights", "none.npz", "--random"], 2, "there is no file none.npz"),
        (["weights", "n.netdef", "--rename", "a=b"], 2, "a file of weights: give --compare"),
        (
            ["weights", "n.netdef", "--compare", "w.safetensors", "--rename", "bet.*=*"],
            2,
            "matches no name",
        ),
        (["weights", "n.netdef", "--compare", "n.pt"], 3, "weights_only=True"),
    ],
)
def test_a_call_at_fault_says_so_and_writes_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    Path("n.pt").write_bytes(b"")
    result = netc(*arguments)
    assert result.exit_code == code and says in result.stderr
    assert not Path("n.onnx").exists()
