"""Trainings and their nets across files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from tests.netc.command import netc
from tests.training.definitions import NET, TRAIN, digits

OTHER = "net other { input x: f32[2]; dense(2); output y }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a training in `lib/recipes.netdef`, its net in a file beside that, and data."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "nets.netdef").write_text(NET)
    (tmp_path / "lib" / "recipes.netdef").write_text('use tiny from "nets.netdef"\n' + TRAIN)
    pictures, labels = digits(64)
    np.savez(tmp_path / "d.npz", image=pictures, label=labels)
    return tmp_path


def trained(folder: Path, file: str, *more: object) -> dict[str, NDArray[Any]]:
    """The weights after two steps of the training of a file."""
    out = folder / "out"
    call = ("train", folder / file, "--data", folder / "d.npz", "--out", out, "--device", "cpu")
    result = netc(*call, "--max-steps", 2, *more)
    assert result.exit_code == 0, result.stderr
    found = load_file(out / "weights.safetensors")
    for path in out.iterdir():
        path.unlink()
    return found


def test_a_training_of_another_file_is_trained_as_its_own(folder: Path) -> None:
    (folder / "main.netdef").write_text('use t from "lib/recipes.netdef"\n')
    result = netc("check", folder / "main.netdef")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "training t is fine" in result.stdout
    ours, theirs = trained(folder, "main.netdef"), trained(folder, "lib/recipes.netdef")
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    faster = trained(folder, "main.netdef", "--set", "rate=0.1")
    assert not np.array_equal(faster["conv1.weight"], ours["conv1.weight"])
    step = folder / "step.onnx"
    assert netc("compile", folder / "main.netdef", "--train", "t", "-o", step).exit_code == 0


def test_a_used_training_keeps_the_names_of_its_own_file(folder: Path) -> None:
    # `tiny` means another net here, and the training does not mean that one.
    own = OTHER.replace("other", "tiny")
    (folder / "main.netdef").write_text('use t from "lib/recipes.netdef"\n' + own)
    result = netc("check", folder / "main.netdef")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "training t is fine: 690 parameters learn" in result.stdout


def test_of_own_and_used_trainings_one_is_chosen(folder: Path) -> None:
    text = 'use t from "lib/recipes.netdef"\nuse tiny from "lib/nets.netdef"\n'
    (folder / "main.netdef").write_text(text + TRAIN.replace("train t", "train mine"))
    unsaid = netc("train", folder / "main.netdef", "--data", folder / "d.npz", "--dry-run")
    assert (unsaid.exit_code, "mine" in unsaid.stderr, " t" in unsaid.stderr) == (2, True, True)
    assert trained(folder, "main.netdef", "--train", "t").keys() == {
        "conv1.weight",
        "conv1.bias",
        "logits.weight",
        "logits.bias",
    }


def test_a_mistake_of_a_used_training_is_told_where_it_stands(folder: Path) -> None:
    recipes = folder / "lib" / "recipes.netdef"
    recipes.write_text(recipes.read_text().replace("batch 32", "batch 0"))
    (folder / "main.netdef").write_text('use t from "lib/recipes.netdef"\n')
    result = netc("check", folder / "main.netdef")
    assert result.exit_code == 1
    assert result.stderr.count("error[") == 1
    assert "recipes.netdef:" in result.stderr


def test_a_training_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "main.netdef").write_text('use tt from "lib/recipes.netdef"\n')
    result = netc("check", folder / "main.netdef")
    assert (result.exit_code, "did you mean `t`?" in result.stderr) == (1, True)


def test_a_training_is_no_block(folder: Path) -> None:
    text = 'use t from "lib/recipes.netdef"\nnet n { input x: f32[2]; t(); output y }\n'
    (folder / "main.netdef").write_text(text)
    result = netc("check", folder / "main.netdef")
    assert result.exit_code == 1
    assert result.stderr.count("error[") == 1
