"""`netc import`: what it writes, what it refuses, its exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from compiler.driver import compile_graph
from runtime.session import open_session
from tests.importers.again import feeds_of, graph_of
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_definition_and_weights_give_the_models_outputs(folder: Path) -> None:
    graph = graph_of("mobilenet")
    onnx.save(compile_graph(graph), "m.onnx")
    told = netc("import", "m.onnx", "-o", "n.netdef", "--weights", "n.safetensors")
    assert told.exit_code == 0 and "mobilenet: 53 layers -> n.netdef" in told.output
    made = netc("compile", "n.netdef", "--weights", "n.safetensors", "-o", "again.onnx")
    assert made.exit_code == 0, made.output
    feeds = feeds_of(graph)
    first, second = (
        open_session(Path(name).read_bytes(), "cpu").run(feeds)["logits"]
        for name in ("m.onnx", "again.onnx")
    )
    np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-4)


def test_the_definition_is_called_like_the_file_unless_said_otherwise(folder: Path) -> None:
    model = onnx_model("y = Relu(x)")
    model.graph.name = "main_graph"  # what PyTorch calls every model
    onnx.save(model, "some.onnx")
    assert netc("import", "some.onnx").exit_code == 0
    assert [f.name for f in sorted(folder.iterdir())] == ["some.netdef", "some.onnx"]
    assert "net some {" in Path("some.netdef").read_text()


def test_all_that_cannot_be_expressed_is_listed_and_nothing_is_written(folder: Path) -> None:
    nodes = "a = CumSum(x, i) b = Relu(x) c = Gather<axis=0>(b, l) y = Sum(a, b, c)"
    model = onnx_model(nodes, constants={"i": 1, "l": [[0, 1], [4, 2]]})
    for node, name in zip(model.graph.node, ["sums", "act", "chosen", "total"], strict=True):
        node.name = name
    onnx.save(model, "m.onnx")
    told = netc("import", "m.onnx", "--weights", "w.safetensors")
    assert told.exit_code == 1 and not told.stdout
    assert [f.name for f in folder.iterdir()] == ["m.onnx"]
    no = "cannot be expressed:"
    assert f"error[E601]: CumSum sums {no} the language has no such operator\n" in told.stderr
    assert f"error[E601]: Gather chosen {no} it acts along the batch" in told.stderr
    assert told.stderr.endswith("2 errors\n")


def test_what_follows_a_refusal_is_not_blamed(folder: Path) -> None:
    onnx.save(onnx_model("a = NonMaxSuppression(x, x) b = Relu(a) y = Sigmoid(b)"), "m.onnx")
    told = netc("import", "m.onnx")
    assert told.exit_code == 1 and told.stderr.count("error[") == 1


MISTAKES = {
    "no such file": ["import", "absent.onnx"],
    "a format that is unknown": ["import", "m.tflite"],
    "no ONNX model": ["import", "broken.onnx"],
    "a model without nodes": ["import", "empty.onnx"],
    "a prototxt without layers": ["import", "solver.prototxt"],
    "a cfg that is something else": ["import", "other.cfg"],
    "a shape that is none": ["import", "m.onnx", "--shape", "x=3by8"],
    "no weights in the format": ["import", "m.cfg", "--weights", "w.safetensors"],
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_call_at_fault_exits_with_2_and_writes_nothing(call: list[str], folder: Path) -> None:
    onnx.save(onnx_model("y = Relu(x)"), "m.onnx")
    Path("m.tflite").write_bytes(b"\x00")
    Path("broken.onnx").write_bytes(b"\x08\x08\xff\xff\xff")
    Path("empty.onnx").write_bytes(b"")
    Path("solver.prototxt").write_text('base_lr: 0.01 momentum: 0.9 net: "train.prototxt"')
    Path("other.cfg").write_text('layer {\n  name: "conv1"\n}\n')
    Path("m.cfg").write_text("[net]\nchannels=3\nheight=8\nwidth=8\n[convolutional]\n")
    before = {f.name for f in folder.iterdir()}
    told = netc(*call)
    assert told.exit_code == 2 and "Traceback" not in told.output
    assert told.stderr.count("error: ") == 1 and len(told.stderr.strip().splitlines()) <= 2
    assert {f.name for f in folder.iterdir()} == before


def test_shapes_that_a_file_leaves_open_are_given_in_the_call(folder: Path) -> None:
    onnx.save(
        onnx_model("y = Conv(x, w)", "float[N, C, H, W] x", weights={"w": (2, 3, 3, 3)}), "m.onnx"
    )
    told = netc("import", "m.onnx")
    assert told.exit_code == 1 and "--shape x=3x224x224" in told.stderr
    assert netc("import", "m.onnx", "--shape", "x=3x9x10").exit_code == 0
    assert "input x: f32[3, 9, 10]" in Path("m.netdef").read_text()


@pytest.mark.parametrize("file", ["m.onnx", "m.prototxt", "m.cfg"])
def test_a_shape_for_an_input_that_there_is_not_is_a_mistake_of_the_call(
    file: str, folder: Path
) -> None:
    onnx.save(onnx_model("y = Relu(x)"), "m.onnx")
    Path("m.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: [1, 3, 8, 8] } } }'
        'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
    )
    Path("m.cfg").write_text("[net]\nchannels=3\nheight=8\nwidth=8\n[maxpool]\n")
    told = netc("import", file, "--shape", "nope=3x8x8")
    assert told.exit_code == 2 and not Path("m.netdef").exists()
    assert ("no input nope: its inputs are x" in told.stderr) == (file != "m.cfg")


def test_a_shape_against_the_files_own_is_refused(folder: Path) -> None:
    onnx.save(onnx_model("y = Relu(x)"), "m.onnx")
    told = netc("import", "m.onnx", "--shape", "x=4x8x8")
    assert told.exit_code == 1 and "[3, 8, 8]" in told.stderr
