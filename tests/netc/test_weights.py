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
        (["weights", "n.netdef", "--rename", "a=b"], 2, "is for the names in a file of weights"),
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
