"""int8 models: smaller, close to float32, honest about their loss."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, numpy_helper
from PIL import Image

import netc as package
from netc.main import main
from runtime.accuracy import Deviation, measure
from runtime.errors import CallError
from runtime.quantize import QuantizationPlan, loss, quantized
from runtime.random_inputs import random_feeds
from runtime.session import open_session
from tests.define import define

NET = """
# A small classifier of pictures.
net small() {
    input image: f32[3, 12, 12] from picture(resize=12, crop=12, mean=[0.5, 0.5, 0.5])
    conv(16, 3x3, pad=1) as first -> bn -> relu
    add { conv(16, 3x3, pad=1) as left; identity } -> relu -> maxpool(2x2)
    conv(32, 3x3) -> relu -> gap -> flatten -> dense(10) as logits
    output probs = softmax
}
"""


def netc(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of six small pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(6):
        coarse = random.integers(256, size=(4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((20, 16)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "small.netdef"
    path.write_text(NET, encoding="utf-8")
    return path


def test_the_loss_of_a_tensor_by_hand() -> None:
    found = measure(np.array([[3.0, 4.0]]), np.array([[3.0, 4.5]]))
    assert found == Deviation(signal=25.0, noise=0.25, agreeing=1, samples=1)
    assert found.relative == pytest.approx(0.1)
    assert found.snr == pytest.approx(20.0)
    both = found + measure(np.array([[3.0, 4.0]]), np.array([[5.0, 4.0]]))
    assert both.top1 == 0.5
    assert both.relative == pytest.approx(math.sqrt(4.25 / 50))


def test_equal_tensors_have_no_noise_and_maps_have_no_class() -> None:
    same = measure(np.ones((2, 3, 4, 4)), np.ones((2, 3, 4, 4)))
    assert same.snr == math.inf and same.relative == 0 and same.top1 is None
    assert measure(np.zeros((1, 2)), np.ones((1, 2))).relative == math.inf


@pytest.mark.parametrize(
    "plan",
    [
        QuantizationPlan(),
        QuantizationPlan("entropy"),
        QuantizationPlan("percentile"),
        QuantizationPlan(per_channel=False),
        QuantizationPlan(reduce_range=True),
        QuantizationPlan(symmetric=True),
    ],
)
def test_an_int8_model_is_close_to_float32(plan: QuantizationPlan) -> None:
    net = define(NET)
    model = net.model()
    feeds = [random_feeds(net.graph, seed, batch=1) for seed in range(8)]
    made = quantized(model, len(feeds), lambda index: feeds[index], plan)
    onnx.checker.check_model(made, full_check=True)
    (found,) = loss(model, made, iter(feeds)).values()
    assert found.samples == 8
    assert 1e-5 < found.relative < (0.05 if plan.method == "minmax" else 0.5)


def test_weights_are_int8_with_a_scale_for_each_channel_and_softmax_stays_float() -> None:
    net = define(NET)
    feeds = random_feeds(net.graph, batch=1)
    made = quantized(net.model(), 1, lambda index: feeds, QuantizationPlan())
    arrays = {t.name: t for t in made.graph.initializer}
    assert arrays["first.weight_quantized"].data_type == TensorProto.UINT8
    assert list(arrays["first.weight_scale"].dims) == [16]
    by_tensor = quantized(net.model(), 1, lambda index: feeds, QuantizationPlan(per_channel=False))
    scales = {t.name: list(t.dims) for t in by_tensor.graph.initializer}
    assert scales["first.weight_scale"] in ([], [1])
    softmax = next(node for node in made.graph.node if node.op_type == "Softmax")
    assert softmax.output[0] == "probs", "nothing rounds the probabilities to steps of 1/256"


@pytest.mark.parametrize(
    "plan",
    [QuantizationPlan(), QuantizationPlan(reduce_range=True), QuantizationPlan(symmetric=True)],
)
def test_large_sums_do_not_saturate_on_any_processor(plan: QuantizationPlan) -> None:
    """Without VNNI two products of bytes, an unsigned and a signed one, are added in 16 bits."""
    net = define("net n {\n input x: f32[64]\n dense(8, bias=false)\n output y\n}")
    weights = np.where(np.arange(64) % 8 < 6, 1, -1).astype(np.float32)
    net = net.with_weights({"dense1.weight": np.tile(weights, (8, 1))})
    model, feeds = net.model(), {"x": np.ones((1, 64), dtype=np.float32)}
    made = quantized(model, 1, lambda index: feeds, plan)
    (y,) = open_session(made, "cpu").run(feeds).values()
    np.testing.assert_allclose(y, np.full((1, 8), 32), rtol=0.02)
    (zero,) = {
        tuple(numpy_helper.to_array(t).ravel())
        for t in made.graph.initializer
        if t.name == "dense1.weight_zero_point"
    }
    assert set(zero) == {0 if plan.signed_weights else 128}


def test_a_layer_that_is_left_out_keeps_its_float32_weight() -> None:
    net = define(NET)
    feeds = random_feeds(net.graph, batch=1)
    made = quantized(net.model(), 1, lambda index: feeds, QuantizationPlan(exclude=("logits",)))
    kinds = {t.name: t.data_type for t in made.graph.initializer}
    assert kinds["logits.weight"] == TensorProto.FLOAT
    assert "first.weight" not in kinds


@pytest.mark.parametrize(
    ("layer", "kept"),
    [("stem.conv1", {"stem.conv1.weight"}), ("stem.bn1", {"stem.conv1.weight"}),
     ("stem", {"stem.conv1.weight", "stem.conv2.weight"}), ("y", {"fc.weight"})],
)  # fmt: skip
def test_a_layer_is_left_out_by_its_own_name_or_that_of_its_block(
    layer: str, kept: set[str]
) -> None:
    net = define(
        "block two() { conv(4, 3x3, bias=false) -> bn -> relu -> conv(4, 3x3) }\n"
        "net n {\n input x: f32[2, 9, 9]\n two as stem -> gap -> flatten -> dense(3) as fc\n"
        " output y\n}"
    )
    feeds = random_feeds(net.graph, batch=1)
    made = quantized(net.model(), 1, lambda index: feeds, QuantizationPlan(exclude=(layer,)))
    whole = {t.name for t in made.graph.initializer if t.data_type == TensorProto.FLOAT}
    assert {name for name in whole if name.endswith(".weight")} == kept
    with pytest.raises(CallError, match=r"there is no layer stem.bm1 .*the nearest is stem.bn1"):
        quantized(net.model(), 1, lambda index: feeds, QuantizationPlan(exclude=("stem.bm1",)))


def test_the_loss_is_told_at_every_layer_in_order() -> None:
    net = define(NET)
    model = net.model()
    feeds = random_feeds(net.graph)
    made = quantized(model, 1, lambda index: feeds, QuantizationPlan())
    layers = loss(model, made, iter([feeds]), layers=True)
    names = list(layers)
    assert names[-1] == "probs" and "logits" in names
    made_by = [node.output[0] for node in model.graph.node]
    assert [name for name in made_by if name in names] == names
    assert all(0 < found.relative < 0.2 for found in layers.values())


def test_the_command_writes_a_model_that_runs_on_pictures_and_tells_the_loss(
    source: Path, pictures: Path, tmp_path: Path
) -> None:
    target, full = tmp_path / "q.onnx", tmp_path / "f.onnx"
    result = netc("quantize", source, "--calibrate", pictures, "-o", target)
    assert result.exit_code == 0, result.output
    assert "on the 6 samples" in result.output and "initial weights" in result.output
    assert "probs" in result.output and "dB" in result.output
    assert netc("compile", source, "-o", full).exit_code == 0
    assert target.stat().st_size < full.stat().st_size
    found = []
    for path in (full, target):
        out = tmp_path / f"{path.stem}.npz"
        assert netc("run", path, "--image", pictures / "0.png", "--out", out).exit_code == 0
        found.append(np.load(out)["probs"])
    np.testing.assert_allclose(found[1], found[0], atol=0.02)


def test_json_and_the_limit(source: Path, pictures: Path, tmp_path: Path) -> None:
    call = ["--calibrate", pictures, "--limit", 4, "--per-layer", "--format", "json"]
    result = netc("quantize", source, *call, "-o", tmp_path / "q.onnx")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["samples"] == 4 and said["bytes"] < said["float32_bytes"] / 3
    (output,) = said["outputs"]
    assert output["tensor"] == "probs" and 0 <= output["top1"] <= 1 and output["snr_db"] > 20
    assert [layer["tensor"] for layer in said["layers"]][-1] == "probs"


def test_a_compiled_model_is_quantized_from_arrays(source: Path, tmp_path: Path) -> None:
    model, arrays = tmp_path / "m.onnx", tmp_path / "x.npz"
    assert netc("compile", source, "-o", model, "--no-optimize").exit_code == 0
    values = np.random.default_rng(0).standard_normal((5, 3, 12, 12), dtype=np.float32)
    np.savez(arrays, image=values)
    target = tmp_path / "q.onnx"
    result = netc("quantize", model, "--calibrate", arrays, "-o", target)
    assert result.exit_code == 0, result.output
    assert "on the 5 samples" in result.output
    kinds = {node.op_type for node in onnx.load(target).graph.node}
    assert "BatchNormalization" not in kinds, "batch norms are folded before"
    again = netc("quantize", target, "--calibrate", arrays, "-o", tmp_path / "r.onnx")
    assert again.exit_code == 2 and "is int8 already" in again.output


@pytest.mark.parametrize("large", [False, True])
def test_a_model_with_external_data_is_quantized_like_the_one_without(
    source: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    made = []
    for option in ("--no-external-data", "--external-data"):
        model, target = tmp_path / "m.onnx", tmp_path / f"q{option}.onnx"
        assert netc("compile", source, "-o", model, option, "--no-optimize").exit_code == 0
        with monkeypatch.context() as patch:
            if large:
                patch.setattr("runtime.quantize.LARGEST_INSIDE", 1000)
            result = netc("quantize", model, "--calibrate", pictures, "-o", target)
        assert result.exit_code == 0, result.output
        made.append(target.read_bytes())
    assert made[0] == made[1]


def test_a_target_that_cannot_be_is_refused_before_the_calibration(
    source: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netc.quantizing.quantized", lambda *_: pytest.fail("it calibrates"))
    for target, said in ((tmp_path / "no" / "q.onnx", "is no folder"), (tmp_path, "a folder")):
        result = netc("quantize", source, "--calibrate", pictures, "-o", target)
        assert result.exit_code == 2 and said in result.output


def test_the_same_call_gives_the_same_bytes_in_every_process(
    source: Path, pictures: Path, tmp_path: Path
) -> None:
    made = []
    for seed in ("1", "2"):
        target = tmp_path / f"{seed}.onnx"
        call = [sys.executable, "-m", "netc", "quantize", str(source), "-o", str(target)]
        subprocess.run(
            [*call, "--calibrate", str(pictures)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        made.append(target.read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["--calibrate", "nowhere"], "there is no file nowhere"),
        ([], "Missing option '--calibrate'"),
        (["--calibrate", "{pictures}", "--exclude", "x"], "there is no layer x to leave out"),
        (["--calibrate", "picture={pictures}"], "there is no input picture"),
    ],
)
def test_calls_at_fault_write_nothing(
    source: Path, pictures: Path, tmp_path: Path, call: list[str], said: str
) -> None:
    target = tmp_path / "q.onnx"
    arguments = [text.format(pictures=pictures) for text in call]
    result = netc("quantize", source, *arguments, "-o", target)
    assert result.exit_code == 2 and said in result.output
    assert not target.exists() and "Traceback" not in result.output


def test_nets_of_the_library_keep_their_classes(tmp_path: Path) -> None:
    net = package.load("resnet20")
    feeds = [random_feeds(net.graph, seed, batch=1) for seed in range(6)]
    model = net.model()
    made = quantized(model, 6, lambda index: feeds[index], QuantizationPlan())
    (found,) = loss(model, made, iter(feeds)).values()
    assert found.snr > 30
