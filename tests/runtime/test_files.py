"""Files that are written: whole or not at all, whoever else writes, whatever the disk says."""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save

import netc
from runtime.arrays import save_array, save_arrays
from runtime.errors import CallError, MachineError
from runtime.files import SCRATCH, refuse_inputs, scratch_folder, write_whole
from runtime.models import write_model
from runtime.pictures import write_picture
from runtime.weights.saving import TYPES, save_weights
from tests.define import define
from tests.netc.command import netc as command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and locks of POSIX")

NET = """
net small(seed=0) {
    input x: f32[3, 16, 16]
    conv(32, 3x3) -> relu -> conv(64, 3x3) -> gap -> flatten -> dense(40)
    output y
}
"""
LARGE = np.random.default_rng(0).random((3, 256, 256), np.float32)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Every form that a command writes.
WRITERS: dict[str, Callable[[Path], Any]] = {
    "x.onnx": lambda path: define(NET).compile(path),
    "data.onnx": lambda path: define(NET).compile(path, external=True),
    "x.safetensors": lambda path: save_weights(path, {"a": LARGE}),
    "x.npz": lambda path: save_arrays(path, {"a": LARGE}),
    "x.npy": lambda path: save_array(path, LARGE),
    "x.png": lambda path: write_picture(path, LARGE),
    "x.bmp": lambda path: write_picture(path, LARGE),
    "x.jpg": lambda path: write_picture(path, LARGE),
    "x.svg": lambda path: netc.load("lenet5", "lenet5").plot(path),
    "x.html": lambda path: netc.load("lenet5", "lenet5").plot(path),
}
FORMS = pytest.mark.parametrize("form", WRITERS)


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond a size: what a full disk does, but with a number of its own."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@FORMS
def test_a_full_disk_is_told_of_whatever_is_written_and_nothing_is_left(
    tmp_path: Path, form: str
) -> None:
    path = tmp_path / form
    path.write_bytes(b"old")
    with small_disk(4000), pytest.raises(MachineError, match="cannot be written: File too large"):
        WRITERS[form](path)
    assert names(tmp_path) == [form] and path.read_bytes() == b"old"
    WRITERS[form](path)
    assert path.read_bytes() != b"old"


@pytest.mark.parametrize("form", ["npz", "npy", "parquet", "jsonl", "csv", "bmp"])
def test_a_full_disk_is_told_of_by_a_run_in_every_form(tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet files need netc[parquet]")
    source = tmp_path / "n.netdef"
    source.write_text("net n { input x: f32[3, 64, 64]; relu; output y; flatten; output z }")
    if form in ("npy", "bmp"):
        source.write_text("net n { input x: f32[3, 64, 64]; relu; output y }")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((64, 3, 64, 64), np.float32))
    call: list[object] = ["run", source, "--device", "numpy", "--top", 20, "--out", "y"]
    call[-1] = tmp_path / f"y.{form}"
    call += ["--random"] if form == "bmp" else ["--input", tmp_path / "x.npy"]
    with small_disk(4000):
        result = command(*call)
    assert result.exit_code == 3 and "cannot be written: File too large" in result.output
    assert names(tmp_path) == ["n.netdef", "x.npy"]


@FORMS
def test_a_name_may_be_as_long_as_the_file_system_has_it(tmp_path: Path, form: str) -> None:
    suffix = Path(form).suffix
    path = tmp_path / ("é" * 50 + "n" * (155 - len(suffix)) + suffix)
    WRITERS[form](path)
    assert path.stat().st_size > 1000


def test_a_name_that_is_too_long_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="File name too long: choose a shorter one"):
        write_whole(tmp_path / ("n" * 256), b"new")
    with pytest.raises(CallError, match="no file has this name"):
        write_whole(tmp_path / "a\0b", b"new")


def write_often(form: str, path: Path, failed: Any) -> None:
    """Write a file again and again, as one of several processes."""
    try:
        for _ in range(10):
            WRITERS[form](path)
    except BaseException as error:
        failed.put(repr(error))
        raise


@pytest.mark.parametrize("form", ["x.safetensors", "data.onnx", "x.png"])
def test_six_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path, form: str) -> None:
    context = multiprocessing.get_context("fork")
    failed = context.Queue()
    path = tmp_path / form
    processes = [
        context.Process(target=write_often, args=(form, path, failed), daemon=True)
        for _ in range(6)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert failed.empty() and [process.exitcode for process in processes] == [0] * 6
    assert len(names(tmp_path)) == (2 if form == "data.onnx" else 1)


def test_writers_of_unlike_models_leave_one_model_and_its_own_data(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    path = tmp_path / "m.onnx"

    def write(seed: int) -> None:
        for turn in range(5):
            define(NET).compile(path, seed=10 * seed + turn, external=True)

    processes = [context.Process(target=write, args=(n,), daemon=True) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    onnx.checker.check_model(str(path), full_check=True)
    assert len(names(tmp_path)) == 2


def test_data_of_a_model_that_never_came_is_swept_and_that_of_others_is_not(
    tmp_path: Path,
) -> None:
    net = define(NET)
    kept, lost = tmp_path / "kept.onnx", tmp_path / "lost.onnx"
    net.compile(kept, seed=1, external=True)
    net.compile(lost, seed=2, external=True)
    lost.rename(tmp_path / ".netc-abcdefgh.onnx")  # killed before the model took its place
    net.compile(tmp_path / "copied.onnx", seed=3, external=True)
    copy = (tmp_path / "copied.onnx").read_bytes()
    (tmp_path / ".netc-stuvwxyz.onnx").write_bytes(copy)
    net.compile(lost, seed=4, external=True)
    assert len(list(tmp_path.glob("lost.onnx.*.data"))) == 1
    assert len(names(tmp_path)) == 6
    for path in tmp_path.glob("*.onnx"):
        onnx.checker.check_model(str(path), full_check=True)


def test_weights_are_written_as_the_library_writes_them(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        f"{name}{index % 3}.{kind}": generator.integers(0, 2, (index, 3)).astype(np.dtype(kind))
        for index, kind in enumerate(TYPES)
        for name in ("z", "a", "é", '"')
    }
    assert np.dtype(ml_dtypes.bfloat16) in {array.dtype for array in arrays.values()}
    arrays |= {"turned": LARGE.T, "scalar": np.array(3.5, np.float32)}
    path = tmp_path / "w.safetensors"
    save_weights(path, arrays)
    plain = {n: np.ascontiguousarray(a) if a.ndim else a for n, a in arrays.items()}
    assert path.read_bytes() == save(plain)
    arrays["turned"] = LARGE.astype(">f4").T  # the other order of bytes
    save_weights(path, {"turned": arrays["turned"]})
    np.testing.assert_array_equal(load_file(path)["turned"], LARGE.T)


def test_scratch_folders_of_the_killed_are_swept_and_those_of_the_living_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stale = tmp_path / f"{SCRATCH}abcdefgh"
    stale.mkdir()
    (stale / "float32.onnx").write_bytes(b"large")
    with scratch_folder() as living:
        assert not stale.exists()
        with scratch_folder() as second:
            assert living.exists() and second.exists()
    assert names(tmp_path) == []


def test_an_input_is_known_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"read")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "hard").hardlink_to(path)
    for name in ("x", "link", "hard", "../" + tmp_path.name + "/x"):
        with pytest.raises(CallError, match="is read"):
            refuse_inputs([tmp_path / name], ["nowhere", path])
    refuse_inputs([tmp_path / "y"], ["nowhere", path, "a\0b"])


def test_models_are_written_into_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(0o300)
    try:
        write_model(define(NET).model(), folder / "m.onnx")
    finally:
        folder.chmod(0o700)
    assert names(folder) == ["m.onnx"]
