"""A command that is killed while it writes leaves the old file or the new one, never half of one.

NETC_KILLS says how often each is killed: `NETC_KILLS=30 pytest tests/netc/test_killed.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from tests.netc.command import netc

KILLS = int(os.environ.get("NETC_KILLS", "1"))

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed")

# Two versions of a network; what is written of one is never what is written of the other.
NET = """
net n {{
    input x: f32[3, 16, 16]
    conv({0}, 3x3, pad=1) -> relu -> conv(3, 1x1)
    output y
}}
"""
TRAIN = """
net m {{
    input x: f32[1, 4, 4]
    conv({0}, 3x3, pad=1) -> relu -> conv(1, 1x1)
    output y
    flatten -> dense(5) as scores
    output z
}}
train t {{
    data x: f32[1, 4, 4], label: class[5]
    made = m(x)
    minimize cross_entropy(made.scores, label)
    report accuracy(made.scores, label)
    update m with sgd(0.1, momentum=0.9)
    show made.y grid 1x2 as maps
    batch 4; epochs 1
}}
"""
CALLS = {
    "compile": "compile n{0}.netdef -o y.onnx",
    "compile beside": "compile n{0}.netdef -o y.onnx --external-data",
    "compile a step": "compile t{0}.netdef --train t -o y.onnx",
    "compile source": "compile n{0}.netdef -o y.py",
    "compile a script": "compile t{0}.netdef --train t -o y.py",
    "compile for Triton": "compile n{0}.netdef --triton y.models",
    "maps": "maps n{0}.netdef --image p.png --no-gradients -o y.html",
    "report": "report n{0}.netdef -o y.html",
    "import": "import m{0}.onnx -o y.netdef --weights y.safetensors",
    "import npz": "import m{0}.onnx -o y.netdef --weights y.npz",
    "plot svg": "plot n{0}.netdef -o y.svg",
    "plot html": "plot n{0}.netdef -o y.html",
    "fmt": "fmt y.netdef",
    "run npz": "run n{0}.netdef --device numpy --input x.npy --out y.npz",
    "run npy": "run n{0}.netdef --device numpy --input x.npy --out y.npy",
    "run jsonl": "run n{0}.netdef --device numpy --input x.npy --out y.jsonl",
    "run csv": "run v{0}.netdef --device numpy --input x.npy --out y.csv",
    "run parquet": "run n{0}.netdef --device numpy --input x.npy --out y.parquet",
    "run png": "run n{0}.netdef --device numpy --input one.npy --out y.png",
    "quantize": "quantize m{0}.onnx --calibrate x.npy -o y.onnx",
    "train": "train t{0}.netdef --data d.npz --out out --device numpy --epochs 1",
}
RESUMED = "train t0.netdef --data d.npz --out out --device numpy --epochs 5 --resume"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both networks, their models and samples, and one for what is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    Path("scratch").mkdir()
    for version, channels in enumerate((16, 17)):
        text = NET.format(channels)
        Path(f"n{version}.netdef").write_text(text)
        Path(f"v{version}.netdef").write_text(text.replace("output", "gap -> flatten\n output"))
        assert netc("compile", f"n{version}.netdef", "-o", f"m{version}.onnx").exit_code == 0
        Path(f"t{version}.netdef").write_text(TRAIN.format(channels))
    # What a training says of its time is no reason to take a file for a torn one.
    monkeypatch.setattr("runtime.training.loop.time", SimpleNamespace(monotonic=lambda: 0.0))
    draw = np.random.default_rng(0)
    np.savez("d.npz", x=draw.random((12, 1, 4, 4), np.float32), label=np.arange(12) % 5)
    Image.new("RGB", (16, 16), "teal").save("p.png")
    np.save("x.npy", np.random.default_rng(0).random((4, 3, 16, 16), np.float32))
    np.save("one.npy", np.random.default_rng(0).random((1, 3, 16, 16), np.float32))
    Path("out").mkdir()
    return tmp_path


def write(name: str, version: int) -> None:
    """One call of a command, its output in the folder `out`."""
    if name == "fmt":
        text = NET.format(16 + version).replace("    ", "\t   ")
        Path("out/fresh").write_text(text)
        Path("out/fresh").replace("out/y.netdef")
    if name == "train":  # a run that is over is not written over
        Path("out/state.safetensors").unlink(missing_ok=True)
    call = CALLS[name].format(version).replace("y.", "out/y.")
    result = netc(*call.replace("out/y.npy --out", "x.npy --out").replace("nout/y", "ny").split())
    assert result.exit_code == 0, result.output


def write_forever(name: str, started: Any) -> None:
    """One version after the other until the end."""
    for turn in range(10**9):
        write(name, turn % 2)
        started.set()


def contents() -> dict[str, bytes]:
    files = [path for path in Path("out").rglob("*") if path.is_file()]
    return {path.relative_to("out").as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def moments() -> Iterator[float]:
    """Parts of the time that a call takes, always the same."""
    return iter(random.Random(0).random, None)


@pytest.mark.parametrize("name", CALLS)
def test_a_killed_command_leaves_whole_files_and_the_next_sweeps_up(
    here: Path, moments: Iterator[float], name: str
) -> None:
    if name == "run parquet":
        pytest.importorskip("pyarrow", reason="Parquet files need netc[parquet]")
    whole: dict[str, set[bytes]] = {}
    start = time.monotonic()
    for version in (0, 1):
        write(name, version)
        for file, content in contents().items():
            whole.setdefault(file, set()).add(content)
    seconds = (time.monotonic() - start) / 2
    if name == "fmt":
        whole["y.netdef"] |= {NET.format(c).replace("    ", "\t   ").encode() for c in (16, 17)}
    expected = sorted(contents())
    # ONNX Runtime does not survive a fork, and is slow to start.
    context: Any = multiprocessing.get_context("spawn" if name == "quantize" else "fork")
    for _ in range(KILLS):
        started = context.Event()
        process = context.Process(target=write_forever, args=(name, started), daemon=True)
        process.start()
        assert started.wait(60)
        time.sleep(2 * seconds * next(moments))
        process.kill()
        process.join()
        for file, content in contents().items():
            unfinished = Path(file).name.startswith((".netc-", "fresh"))
            assert unfinished or content in whole[file], f"{file} is torn"
        for path in Path("out").glob("y.onnx"):
            onnx.load_model(path)  # its data is there
    write(name, 1)
    assert sorted(contents()) == expected
    assert not list(Path("scratch").iterdir())


def train_on() -> None:
    """Go on with a training until its end."""
    result = netc(*RESUMED.split())
    assert result.exit_code == 0, result.output


def test_a_killed_training_goes_on_as_if_it_had_not_been(
    here: Path, moments: Iterator[float]
) -> None:
    start = time.monotonic()
    train_on()
    seconds, unbroken = time.monotonic() - start, contents()
    assert "maps.0005.png" in unbroken
    context: Any = multiprocessing.get_context("fork")
    for _ in range(KILLS):
        for path in Path("out").iterdir():
            path.unlink()
        process = context.Process(target=train_on, daemon=True)
        process.start()
        time.sleep(seconds * next(moments))
        process.kill()
        process.join()
        train_on()
        assert contents() == unbroken
