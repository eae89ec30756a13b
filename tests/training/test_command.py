"""`netc train` from the command line: what it writes, how it ends, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import netc as netc_module
from runtime.errors import CallError
from tests.netc.command import netc
from tests.training.definitions import GAN, NET, NORMED, TRAIN, digits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures, labels = digits(320)
    np.savez(tmp_path / "digits.npz", image=pictures, label=labels)
    np.savez(tmp_path / "x.npz", x=pictures)
    (tmp_path / "t.netdef").write_text(NORMED + TRAIN)
    (tmp_path / "both.netdef").write_text(NET + TRAIN + GAN)
    return tmp_path


def train(folder: Path, *words: str, data: str = "digits.npz", file: str = "t.netdef"):  # type: ignore[no-untyped-def]
    arguments = [str(folder / file), "--data", str(folder / data), "--device", "cpu", *words]
    return netc("train", *arguments)


def test_a_run_says_how_it_goes_and_where_everything_is(folder: Path) -> None:
    result = train(folder, "--out", str(folder / "run"), "--epochs", "2")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(
        "t: 698 parameters learn from 288 samples, 32 held out; batch 32, 2 "
    )
    assert lines[1].startswith("epoch 1/2  loss ")
    assert "held out: loss " in lines[1]
    assert lines[3].startswith("best: accuracy ")
    assert lines[4] == f"in {folder / 'run'}: best.safetensors, weights.safetensors"
    weights = str(folder / "run" / "best.safetensors")
    checked = netc("run", str(folder / "t.netdef"), "--random", "--weights", weights)
    assert checked.exit_code == 0


def test_notes_are_told_beside_the_run(folder: Path) -> None:
    image, label = digits(20)
    np.savez(folder / "few.npz", image=image, label=label)
    result = train(folder, "--dry-run", "--lr", "1000", data="few.npz")
    assert result.exit_code == 0, result.output
    few, wild = result.stderr.splitlines()
    assert few.startswith("note: ")
    assert "few.npz has 18 samples to train on, fewer than a batch of 32" in few
    assert wild.startswith("note: adam with a rate of 1000 moves")


def test_a_folder_with_a_run_is_gone_on_with_or_refused(folder: Path) -> None:
    out = str(folder / "run")
    assert train(folder, "--out", out, "--max-steps", "4").exit_code == 0
    refused = train(folder, "--out", out)
    assert (refused.exit_code, "--resume goes on with it" in refused.stderr) == (2, True)
    gone_on = train(folder, "--out", out, "--resume", "--epochs", "1")
    assert gone_on.exit_code == 0
    assert ", 4 done; on cpu" in gone_on.stdout


def test_a_dry_run_takes_one_step_and_writes_nothing(folder: Path) -> None:
    before = sorted(folder.iterdir())
    result = train(folder, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.endswith("one step went well; nothing was written\n")
    assert sorted(folder.iterdir()) == before


def test_what_is_expected_and_not_reached_fails_with_one(folder: Path) -> None:
    text = (folder / "t.netdef").read_text().replace("batch 32", "expect accuracy > 1; batch 32")
    (folder / "t.netdef").write_text(text)
    result = train(folder, "--out", str(folder / "run"), "--epochs", "1")
    assert result.exit_code == 1
    assert "error[E402]" in result.stderr
    assert (folder / "run" / "weights.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dry-run", "--train", "tt"], "defines no training tt; it has t"),
        (["--dry-run", "--set", "rat=1"], "has no parameter rat; it has rate"),
        (["--dry-run", "--lr", "0"], "--lr is a number above 0"),
        (["--dry-run", "--device", "gpu"], "there is no device gpu"),
        (["--dry-run", "--val", "x.npz", "--split", "0.5"], "give one of them"),
        (["--dry-run", "--split", "0.999"], "nothing is left to train on"),
        (["--dry-run", "--weights", "nowhere.npz"], "nowhere.npz"),
        ([], "say where the weights go: --out DIR"),
    ],
)
def test_a_call_at_fault_ends_with_two(folder: Path, words: list[str], message: str) -> None:
    result = train(folder, *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_of_several_trainings_wants_a_choice(folder: Path) -> None:
    result = train(folder, "--dry-run", file="both.netdef")
    assert (result.exit_code, "choose one with --train: t, gan" in result.stderr) == (2, True)
    chosen = train(folder, "--dry-run", "--train", "gan", file="both.netdef", data="x.npz")
    assert chosen.exit_code == 0
    begins = train(
        folder,
        "--dry-run",
        "--train",
        "gan",
        "--weights",
        "a.npz",
        file="both.netdef",
        data="x.npz",
    )
    assert "--weights discriminator=FILE --weights generator=FILE" in begins.stderr


def test_a_training_without_its_data_says_what_it_needs(folder: Path) -> None:
    result = netc("train", str(folder / "t.netdef"), "--dry-run")
    assert (result.exit_code, "needs `image` and `label`: give --data" in result.stderr) == (
        2,
        True,
    )


def process(folder: Path, out: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "netc", "train", str(folder / "t.netdef"), "--device", "cpu"]
    command += ["--data", str(folder / "digits.npz"), "--out", str(folder / out), *words]
    where = Path(__file__).parents[2]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=where
    )


def first_epoch(running: subprocess.Popen[str]) -> None:
    """Wait for the line of an epoch."""
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("epoch"):
            return


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_run_killed_at_any_moment_comes_to_the_same_weights(folder: Path) -> None:
    train(folder, "--out", str(folder / "whole"), "--epochs", "12")
    for pause in (0.01,):
        running = process(folder, "parts", "--epochs", "12", "--resume")
        first_epoch(running)
        time.sleep(pause)
        running.kill()
        running.communicate()
    done = train(folder, "--out", str(folder / "parts"), "--epochs", "12", "--resume")
    assert done.exit_code == 0, done.output
    for file in ("weights.safetensors", "best.safetensors"):
        whole, parts = ((folder / run / file).read_bytes() for run in ("whole", "parts"))
        assert whole == parts, file


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_finishes_the_step_saves_and_ends_with_130(folder: Path) -> None:
    running = process(folder, "run", "--epochs", "10000")
    first_epoch(running)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "--resume goes on from" in said
    assert {"weights.safetensors", "state.safetensors"} <= {
        f.name for f in (folder / "run").iterdir()
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("linked", [Path.symlink_to, Path.hardlink_to])
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("digits.npz", "weights.safetensors"),
        ("held.npz", "best.safetensors"),
        ("t.netdef", "log.csv"),
        ("used.netdef", "curve.svg"),
        ("first.safetensors", "state.safetensors"),
    ],
)
def test_what_a_run_reads_it_does_not_write_over(
    folder: Path, linked: Callable[[Path, Path], None], source: str, name: str
) -> None:
    text = (folder / "t.netdef").read_text()
    (folder / "used.netdef").write_text("block half() { maxpool(2) }\n")
    (folder / "t.netdef").write_text('use half from "used.netdef"\n' + text)
    (folder / "held.npz").write_bytes((folder / "digits.npz").read_bytes())
    assert train(folder, "--out", str(folder / "first"), "--max-steps", "1").exit_code == 0
    (folder / "first.safetensors").write_bytes((folder / "first/weights.safetensors").read_bytes())
    (folder / "run").mkdir()
    linked(folder / "run" / name, folder / source)
    before = contents(folder)
    words = ["--val", str(folder / "held.npz"), "--weights", str(folder / "first.safetensors")]
    result = train(folder, "--out", str(folder / "run"), *words, "--resume")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{name} is read (as " in result.stderr
    assert contents(folder) == before
    if source != "first.safetensors":
        call = netc_module.load_training("t", folder / "t.netdef")
        with pytest.raises(CallError, match="is read"):
            call.fit(folder / "digits.npz", val=folder / "held.npz", out=folder / "run")
        assert contents(folder) == before


def test_a_run_does_not_lie_among_its_samples(folder: Path) -> None:
    for index in range(8):
        (folder / "photos" / str(index % 2)).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 30 * index).save(folder / "photos" / str(index % 2) / f"{index}.png")
    for out in ("photos", "photos/run"):
        result = train(folder, "--out", str(folder / out), data="photos")
        assert result.exit_code == 2 and "lies among the samples of" in result.stderr
    (folder / "run").mkdir()
    (folder / "run" / "maps.0001.png").symlink_to(folder / "photos" / "1" / "3.png")
    result = train(folder, "--out", str(folder / "run"), data="photos")
    assert result.exit_code == 2 and "maps.0001.png is read (as " in result.stderr


def test_a_place_where_nothing_can_be_written_is_told_of_before_the_work(folder: Path) -> None:
    out = folder / "run"
    for name in ("state.safetensors", "log.csv", "curve.svg", "best.safetensors"):
        (out / name).mkdir(parents=True)
        result = train(folder, "--out", str(out), "--resume")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{name} cannot be written: a folder is not replaced by a file" in result.stderr
        (out / name).rmdir()
    result = train(folder, "--out", str(folder / ("n" * 300)))
    assert result.exit_code == 2 and "cannot be written: File name too long" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="a limit on the sizes of files")
@pytest.mark.parametrize("room", [0, 100, 1500, 5000])
def test_a_full_disk_ends_a_run_with_one_line(folder: Path, room: int) -> None:
    import resource

    out = folder / "run"
    assert train(folder, "--out", str(out), "--max-steps", "9").exit_code == 0
    before = contents(out)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
    try:
        result = train(folder, "--out", str(out), "--resume", "--epochs", "2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert result.exit_code == 3
    assert re.fullmatch(
        rf"error: {out}/\S+ cannot be written: File too large\nhelp: make room there.*\n",
        result.stderr,
    )
    state = out / "state.safetensors"
    assert contents(out)[str(state)] == before[str(state)]
    assert sorted(contents(out)) == sorted(before | contents(out)), "an older file is gone"
    assert not list(out.glob(".netc-*"))
    assert train(folder, "--out", str(out), "--resume", "--epochs", "2").exit_code == 0
