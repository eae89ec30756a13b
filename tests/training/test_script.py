"""A training as a PyTorch program: golden files, what is refused, and the runs that they make."""

from __future__ import annotations

import argparse
import ast
import csv
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compiler.torch.script.write import write_script
from grammar.diagnostics import DefinitionError
from netc.training import samples_for
from runtime.training.loop import Choices, TrainingRun
from tests.compiler.ruff import RUFF, complaints
from tests.netc.command import netc
from tests.training.definitions import NET, NORMED, TRAIN, training
from tests.training.scripts import BACKBONE, GOLDEN, SCRIPTS, trained

FOLDER = Path(__file__).parents[1] / "golden" / "scripts"
needs_torch = pytest.mark.skipif(util.find_spec("torch") is None, reason="torch is not installed")
needs_ray = pytest.mark.skipif(util.find_spec("ray") is None, reason="ray is not installed")


@pytest.mark.parametrize("name", GOLDEN)
def test_a_script_is_the_golden_one(name: str, bless: bool) -> None:
    path, source = FOLDER / f"{name}.txt", write_script(training(SCRIPTS[name]))
    if bless:
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "renew it with --bless"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_holds_no_mark_of_its_making(name: str) -> None:
    source = write_script(training(SCRIPTS[name]))
    ast.parse(source)
    assert not any(mark in source for mark in ("  #? ", "  #! ", "_M", "ANY", 'PICTURE"', "LABEL"))
    assert source == write_script(training(SCRIPTS[name]))


@pytest.mark.parametrize("name", ["main", "train", "generator", "step", "BATCH"])
def test_a_net_has_a_name_that_is_nothing_else_in_its_script(name: str) -> None:
    body = ast.parse(write_script(training((NET + TRAIN).replace("tiny", name)))).body
    defined = [n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    assert len({*defined}) == len(defined) and "BATCH" not in defined


@pytest.mark.skipif(not RUFF.is_file(), reason="ruff is not installed")
def test_ruff_has_nothing_to_say(tmp_path: Path) -> None:
    for name, text in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(write_script(training(text)), encoding="utf-8")
    assert not complaints(tmp_path)


def test_a_steps_own_numbers_are_no_whole_ones() -> None:
    source = write_script(
        training(
            """net n { input x: f32[4]; dense(3); output y }
train t {
    data label: class[3], x: f32[4]
    s = n(x) -> scale([0.5, 1.5, 0.25]) -> shift([0.5, 0.25, 0.75])
    minimize cross_entropy(s, label); update n with sgd(0.1); batch 4; epochs 1
}"""
        )
    )
    assert "y * y.new_tensor([0.5, 1.5, 0.25]) + x.new_tensor([0.5, 0.25, 0.75])" in source


REFUSED = {
    "two sizes": (
        """net c { input x: f32[1, H, W]; conv(2, 3x3) -> gap -> flatten; output y }
train t { data a: f32[1, 8, 8], b: f32[1, 6, 6]; minimize mse(c(a), c(b))
    update c with sgd(0.1); batch 2; epochs 1 }""",
        "called with two sizes",
    ),
    "a name that modules have": (
        """net c { input x: f32[4]; dense(4) as train; output y }
train t { data x: f32[4]; minimize mse(c(x), x); update c with sgd(0.1); batch 2; epochs 1 }""",
        "cannot be said in PyTorch",
    ),
    "arrays of two steps": (
        BACKBONE
        + trained(
            """s = backbone(image)
    step { minimize cross_entropy(s.logits, label); update backbone with adam(1e-3) }
    step { minimize mean(s.probs); update backbone only "c1.*" with adam(1e-3) }
    batch 2; epochs 1"""
        ),
        "updated in two steps",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said_is_refused_in_its_place(name: str, tmp_path: Path) -> None:
    text, message = REFUSED[name]
    with pytest.raises(DefinitionError, match=message) as caught:
        write_script(training(text))
    assert [d.code for d in caught.value.diagnostics] == ["E605"]
    file, target = tmp_path / "t.netdef", tmp_path / "t.py"
    file.write_text(text)
    done = netc("compile", file, "--train", "t", "-o", target)
    assert done.exit_code == 1 and f"{file}:" in done.stderr and not target.exists()


def test_the_command_writes_a_script(tmp_path: Path) -> None:
    file, target = tmp_path / "t.netdef", tmp_path / "train.py"
    file.write_text(NET + TRAIN)
    done = netc("compile", file, "--train", "t", "-o", target, "--set", "rate=0.5")
    assert done.exit_code == 0 and "t: 3 epochs -> " in done.stdout
    assert "lr=0.5):" in target.read_text()
    for more in (["--dtype", "f16"], ["--seed", "3"], ["--checkpoint"]):
        refused = netc("compile", file, "--train", "t", "-o", target, *more)
        assert refused.exit_code == 2 and "--set alone" in refused.stderr


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────


def module_of(text: str, folder: Path) -> Any:
    """The script of a training as a module."""
    path = folder / "train_script.py"
    path.write_text(write_script(training(text)), encoding="utf-8")
    spec = util.spec_from_file_location("train_script", path)
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments(module: Any, data: Path | None, out: Path, **more: Any) -> argparse.Namespace:
    """What the command line would give."""
    out.mkdir(exist_ok=True)
    given = {
        "data": str(data),
        "val": None,
        "split": 0.25,
        "out": str(out),
        "epochs": module.EPOCHS,
        "batch_size": module.BATCH,
        "lr": None,
        "seed": 3,
        "weights": [],
        "resume": False,
        "max_steps": None,
        "workers": 0,
        "ray": None,
    }
    return argparse.Namespace(**{**given, **more})


def data_for(name: str, folder: Path) -> Path:
    """Random samples of what a training declares."""
    random = np.random.default_rng(0)
    if name == "pictures":
        for number in range(24):
            inside = folder / "pictures" / "abc"[number % 3]
            inside.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (11 + number % 3, 14, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(inside / f"{number}.png")
        return folder / "pictures"
    count, path = 40, folder / "data.npz"
    arrays: dict[str, Any] = {}
    for part in training(SCRIPTS[name]).data:
        if part.classes is not None:
            arrays[part.name] = random.integers(0, part.classes, count)
        else:
            arrays[part.name] = random.random((count, *part.shape), dtype=np.float32)
    np.savez(path, **arrays)
    return path


def rows_of(folder: Path) -> list[dict[str, float]]:
    """The log of a run, times left out."""
    with (folder / "log.csv").open(newline="") as file:
        rows = [{n: float(v) for n, v in row.items()} for row in csv.DictReader(file)]
    return [{n: v for n, v in row.items() if n != "seconds"} for row in rows]


@needs_torch
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_takes_the_steps_of_netc(name: str, tmp_path: Path) -> None:
    import_module("torch").set_num_threads(1)
    text = SCRIPTS[name].replace("dropout(0.2) -> ", "").replace("dropout(0.3) -> ", "")
    data = data_for(name, tmp_path)
    plan = training(text)
    samples, held_out = samples_for(plan, data, None, 0.25, 3)
    out = tmp_path / "netc"
    out.mkdir()
    run = TrainingRun(plan, samples, held_out, Choices(3, "cpu", out))
    first = [turn.values for turn in run]
    assert first
    module = module_of(text, tmp_path)
    module.train(arguments(module, data, tmp_path / "torch"))
    ours, theirs = rows_of(out), rows_of(tmp_path / "torch")
    assert [[*row] for row in ours] == [[*row] for row in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        for key, value in mine.items():
            assert value == pytest.approx(other[key], rel=1e-5, abs=1e-6), key
    names = {path.name for path in out.iterdir()} - {"state.safetensors", "curve.svg"}
    assert names | {"state.pt"} == {path.name for path in (tmp_path / "torch").iterdir()}


def weights_of(folder: Path) -> dict[str, Any]:
    """The parameters that a run came to."""
    from safetensors.numpy import load_file

    return dict(load_file(folder / "weights.safetensors"))


@needs_torch
def test_a_script_goes_on_bit_for_bit(tmp_path: Path) -> None:
    data = data_for("normed", tmp_path)
    module = module_of(NORMED + TRAIN, tmp_path)  # with dropout
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    module.train(arguments(module, data, whole, batch_size=8))
    for steps in (2, 7, None):
        module.train(arguments(module, data, parts, batch_size=8, resume=True, max_steps=steps))
    assert rows_of(whole) == rows_of(parts)
    wanted, found = weights_of(whole), weights_of(parts)
    assert wanted.keys() == found.keys()
    assert all((wanted[name] == found[name]).all() for name in wanted)
    with pytest.raises(SystemExit, match="is of a run with"):
        module.train(arguments(module, data, parts, batch_size=4, resume=True))


def command(script: Path, *more: object, folder: Path) -> list[str]:
    """The command line of a script."""
    call = [script, "--data", folder / "data.npz", "--split", 0.25, "--seed", 3, *more]
    return [str(word) for word in call]


def done(call: list[str], folder: Path) -> str:
    """What a program says that must end well."""
    ended = subprocess.run(
        call, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@needs_torch
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    data_for("distilled", tmp_path)
    text = (NET + TRAIN).replace("epochs 3", "epochs 3; expect loss < 9")
    module_of(text, tmp_path)
    script = tmp_path / "train_script.py"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    for out, before in (("one", [sys.executable]), ("two", torchrun)):
        told = done([*before, *command(script, "--out", out, folder=tmp_path)], tmp_path)
        assert told.count("epoch 3/3") == 1
    for mine, other in zip(rows_of(tmp_path / "one"), rows_of(tmp_path / "two"), strict=True):
        assert mine == pytest.approx(other, rel=1e-5)
    missed = text.replace("loss < 9", "loss < 0")
    module_of(missed, tmp_path)
    call = [sys.executable, *command(script, "--out", "three", "--epochs", 1, folder=tmp_path)]
    ended = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and "a contract does not hold: loss < 0" in ended.stderr


@needs_torch
@needs_ray
def test_ray_trains_the_same(tmp_path: Path) -> None:
    data_for("distilled", tmp_path)
    module_of(NET + TRAIN, tmp_path)
    script = tmp_path / "train_script.py"
    done([sys.executable, *command(script, "--out", "one", folder=tmp_path)], tmp_path)
    call = [sys.executable, *command(script, "--out", "two", "--ray", 2, folder=tmp_path)]
    done(call, tmp_path)
    for mine, other in zip(rows_of(tmp_path / "one"), rows_of(tmp_path / "two"), strict=True):
        assert mine == pytest.approx(other, rel=1e-5)
