"""`netc compile --triton`: a repository as Triton's own message reads it, and a model that fits."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import tritonclient
from google.protobuf import text_format

import netc as package
from tests.netc.command import netc

NET = """
net n {
    input photo: f32[3, H, W] from picture(mean=[0.5, 0.5, 0.5])
    input hint: f32[2]
    photo -> conv(2, 3x3, pad=1) -> gap -> flatten as seen
    add(seen, hint)
    output scores labels "names.txt"
    reduce_sum(axis=0)
    output total
}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "n.netdef").write_text(NET)
    (tmp_path / "names.txt").write_text('cat\n"dog"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(folder: Path) -> Any:
    """The config in a folder, read as the message that Triton reads it as."""
    path = Path(tritonclient.__file__).parent / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return text_format.Parse((folder / "config.pbtxt").read_text(), module.ModelConfig())


def test_a_repository_is_what_triton_reads(here: Path) -> None:
    result = netc("compile", "n.netdef", "--triton", "models")
    assert result.exit_code == 0 and result.output == f"n: 56 parameters -> {Path('models/n')}\n"
    found = config(here / "models/n")
    assert (found.name, found.backend, found.max_batch_size) == ("n", "onnxruntime", 8)
    assert found.HasField("dynamic_batching")
    told = [(t.name, t.data_type, list(t.dims)) for t in [*found.input, *found.output]]
    uint8, fp32 = 2, 11
    assert told == [
        ("photo", uint8, [-1, -1, 3]),
        ("hint", fp32, [2]),
        ("scores", fp32, [2]),
        ("total", fp32, [1]),
    ]
    assert found.output[1].HasField("reshape") and not found.output[1].reshape.shape
    assert found.output[0].label_filename == "scores.txt"
    assert (here / "models/n/scores.txt").read_text() == 'cat\n"dog"\n'
    session = ort.InferenceSession(here / "models/n/1/model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    hint = np.ones((2, 2), np.float32)
    scores, total = session.run(None, {"photo": pixels, "hint": hint})
    plain = np.moveaxis(pixels, 3, 1).astype(np.float32) / 255 - np.float32(0.5)
    expected = package.load("n.netdef").run({"photo": plain, "hint": hint})
    np.testing.assert_allclose(scores, expected["scores"], atol=1e-5)
    assert total.shape == (2,)


def test_a_fixed_batch_stands_in_the_sizes(here: Path) -> None:
    assert netc("compile", "n.netdef", "--triton", "m", "--batch", 4).exit_code == 0
    found = config(here / "m/n")
    assert found.max_batch_size == 0 and not found.HasField("dynamic_batching")
    assert [list(t.dims) for t in [*found.input, *found.output]] == [
        [4, -1, -1, 3],
        [4, 2],
        [4, 2],
        [4],
    ]


def test_without_pictures_the_numbers_are_taken(here: Path) -> None:
    Path("p.netdef").write_text("net p { input image: f32[1, 8, 8]; flatten; output y }")
    assert netc("compile", "p.netdef", "--triton", "m").exit_code == 0
    assert list(config(here / "m/p").input[0].dims) == [1, 8, 8]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["-o", "x.onnx"], "--triton names the folder of models that is written: no -o, no --emit"),
        (["--emit", "graph"], "--triton names the folder of models that is written: no -o"),
        (["--train", "t"], "--train goes with --opset"),
    ],
)
def test_what_does_not_go_with_it(here: Path, more: list[str], message: str) -> None:
    result = netc("compile", "n.netdef", "--triton", "m", *more)
    assert result.exit_code == 2 and message in result.output
    assert not Path("m").exists()


def test_a_file_in_the_place_of_the_folder(here: Path) -> None:
    Path("m").mkdir()
    Path("m/n").write_text("mine")
    result = netc("compile", "n.netdef", "--triton", "m")
    assert result.exit_code == 2 and "m/n cannot be written: " in result.output
    assert Path("m/n").read_text() == "mine"
