"""The program of docs/learning.md trains under onnxruntime-web as ONNX Runtime in Python does.

It needs Node and `npm ci --prefix tests/web`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file

from tests.netc.command import netc
from tests.training.definitions import NET, TRAIN, digits

TESTS = Path(__file__).parents[1]
PACKAGES = TESTS / "web" / "node_modules"
PAGE = (TESTS.parent / "docs" / "learning.md").read_text(encoding="utf-8")
NODE = shutil.which("node")
BATCH, STEPS, SAID, RATE = 64, 50, 10, 3e-3


def losses_in_python(folder: Path, count: int) -> list[float]:
    """What the page's program should print: the loss of every tenth of 50 steps."""
    session = onnxruntime.InferenceSession(folder / "step.onnx")
    arrays, samples = (
        load_file(folder / "step.safetensors"),
        load_file(folder / "samples.safetensors"),
    )
    step = json.loads(session.get_modelmeta().custom_metadata_map["netc.step"])
    names = [output.name for output in session.get_outputs()]
    losses = []
    for number in range(1, STEPS + 1):
        start = (BATCH * number) % (count - BATCH + 1)
        feeds = {name: samples[name][start : start + BATCH] for name in step["batch"]}
        feeds |= {"rate": np.array(RATE, np.float32), "step": np.array(number)}
        made = dict(zip(names, session.run(None, {**arrays, **feeds}), strict=True))
        arrays |= {name: made[after] for name, after in step["next"].items()}
        losses.append(float(made["loss"]))
    return losses[SAID - 1 :: SAID]


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
@pytest.mark.skipif(not PACKAGES.exists(), reason="npm ci --prefix tests/web was not run")
def test_a_step_trains_under_onnxruntime_web(tmp_path: Path) -> None:
    assert NODE is not None
    (program,) = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "train.mjs").write_text(program, encoding="utf-8")
    (tmp_path / "t.netdef").write_text(NET + TRAIN, encoding="utf-8")
    try:
        (tmp_path / "node_modules").symlink_to(PACKAGES, target_is_directory=True)
    except OSError as error:
        pytest.skip(f"no link can be made: {error}")
    step = tmp_path / "step.onnx"
    assert netc("compile", tmp_path / "t.netdef", "--train", "t", "-o", step).exit_code == 0
    pictures, labels = digits(600)
    save_file({"image": pictures, "label": labels}, tmp_path / "samples.safetensors")
    done = subprocess.run(
        [NODE, "train.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    said = [line.split() for line in done.stdout.splitlines()]
    assert [int(number) for number, _ in said] == [*range(SAID, STEPS + 1, SAID)]
    losses = [float(loss) for _, loss in said]
    np.testing.assert_allclose(losses, losses_in_python(tmp_path, 600), rtol=1e-4)
    assert losses[-1] < 0.8 * losses[0]
