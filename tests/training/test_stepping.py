"""A step as a file trains with onnxruntime alone, and is held against NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

from tests.netc.command import netc
from tests.training.definitions import GAN, NET, NORMED, TRAIN, digits, written


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, NORMED + TRAIN + GAN)


def test_a_step_trains_with_onnxruntime_alone_as_its_metadata_says(file: Path) -> None:
    step = file.with_name("step.onnx")
    result = netc("compile", str(file), "--train", "t", "-o", str(step))
    assert result.exit_code == 0, result.output
    session = onnxruntime.InferenceSession(step, providers=["CPUExecutionProvider"])
    said = json.loads(session.get_modelmeta().custom_metadata_map["netc.step"])
    held = load_file(file.with_name("step.safetensors"))
    pictures, labels = digits(320)
    random, losses = np.random.default_rng(0), []
    names = [output.name for output in session.get_outputs()]
    for number in range(1, 31):
        rows = random.integers(0, 320, 32)
        feeds = {"image": pictures[rows], "label": labels[rows]}
        for name, p in said["masks"].items():
            kept = random.random((32, 64)) >= p
            feeds[name] = (kept / (1 - p)).astype(np.float32)
        feeds |= {name: np.array(1e-2, np.float32) for name in said["rates"]}
        feeds[said["step"]] = np.array(number)
        made = dict(zip(names, session.run(None, {**held, **feeds}), strict=True))
        held |= {name: made[after] for name, after in said["next"].items()}
        losses.append(float(made[said["loss"]]))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_each_step_of_a_training_is_a_model_of_its_own(file: Path) -> None:
    result = netc("compile", str(file), "--train", "gan", "-o", str(file.with_name("g.onnx")))
    assert result.exit_code == 0
    for name in ("g.step1.onnx", "g.step2.onnx"):
        onnx.checker.check_model(str(file.with_name(name)))
    assert "discriminator.dense1.weight/m" in load_file(file.with_name("g.safetensors"))


def test_a_step_with_another_interface_is_refused(file: Path) -> None:
    result = netc("compile", str(file), "--train", "t", "--io-dtype", "f16")
    assert (result.exit_code, "--train goes with" in result.stderr) == (2, True)


def test_every_step_is_held_against_numpy(file: Path) -> None:
    result = netc("verify", str(file), "--train", "gan")
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "gan, step1",
        "gan, step2",
    ]
    told = json.loads(netc("verify", str(file), "--train", "t", "--format", "json").stdout)
    assert told["ok"]
    refused = netc("verify", str(file), "--train", "t", "--bisect")
    assert (refused.exit_code, "--train goes with" in refused.stderr) == (2, True)


def test_check_says_what_a_training_learns(file: Path) -> None:
    file.write_text(NET + TRAIN)
    result = netc("check", str(file))
    assert result.stdout.splitlines()[-1].endswith(
        "training t is fine: 690 parameters learn, batch 32, 3 epochs"
    )
