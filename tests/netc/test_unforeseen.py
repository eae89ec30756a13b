"""What nobody foresaw is told in one line, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from compiler.importers.from_onnx.reading import CONVERTERS
from compiler.ops.activate import Relu
from runtime.kernels import KERNELS
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc

CALLS = {
    "check": ["check", "n.netdef"],
    "summary": ["summary", "n.netdef", "--format", "json"],
    "compile": ["compile", "n.netdef", "-o", "n.onnx"],
    "plot": ["plot", "n.netdef", "-o", "n.svg"],
    "diff": ["diff", "n.netdef", "n.netdef"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("n.netdef").write_text("net n {\n    input x: f32[3, 8, 8]\n    relu\n    output y\n}\n")
    return tmp_path


def broken(*arguments: object, **options: object) -> None:
    raise LookupError("nobody foresaw this")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_any_command_ends_in_one_line_that_names_the_file(
    call: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Relu, "infer", broken)
    told = netc(*call)
    assert told.exit_code == 3 and told.stdout == ""
    (line,) = told.stderr.splitlines()
    assert line.startswith(
        "error[E901]: n.netdef: netc met an error of its own (LookupError: nobod"
    )
    assert "test_unforeseen.py:" in line and line.endswith("report it, with this line and the file")
    assert [file.name for file in folder.iterdir()] == ["n.netdef"]


def test_the_layer_is_named_where_it_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KERNELS, Relu, broken)
    told = netc("run", "n.netdef", "--random", "--device", "numpy")
    assert told.exit_code == 3 and "at layer relu1" in told.stderr


def test_the_way_to_it_is_shown_on_demand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relu, "infer", broken)
    monkeypatch.setenv("NETC_TRACEBACK", "1")
    assert "in broken" in netc("check", "n.netdef").stderr


def test_an_operator_of_an_import_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx.save(onnx_model("h = Relu(x) y = Tanh(h)"), "m.onnx")
    monkeypatch.setitem(CONVERTERS, "Relu", broken)
    told = netc("import", "m.onnx")
    assert told.exit_code == 1 and "cannot be expressed" not in told.stderr
    assert told.stderr.startswith("error[E901]: Relu h: netc met an error of its own (LookupError")
    assert "--> m.onnx:2:1" in told.stderr and not Path("m.netdef").exists()


def test_an_operator_that_onnx_itself_finds_broken_is_the_models_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = "y = Conv<strides=[1, 1, 1], pads=[1]>(x, w)"
    onnx.save(onnx_model(nodes, weights={"w": (2, 3, 3, 3)}), "m.onnx")
    monkeypatch.setitem(CONVERTERS, "Conv", broken)
    told = netc("import", "m.onnx")
    assert told.exit_code == 1 and "error[E602]" in told.stderr and "E901" not in told.stderr
