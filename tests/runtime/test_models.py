"""Models on disk: whole or not at all, large weights beside them, the same bytes every time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper

import netc
import runtime.models
import runtime.session
from netc.main import main
from runtime.errors import CallError
from runtime.files import write_whole
from runtime.models import write_model
from runtime.random_inputs import random_feeds
from runtime.session import open_session
from tests.define import define

NET = """
net small(seed=0) {
    input x: f32[3, 16, 16]
    conv(32, 3x3) -> relu -> conv(64, 3x3) -> gap -> flatten -> dense(40)
    output y
}
"""


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def arrays(path: Path) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in onnx.load_model(path).graph.initializer}


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_external_data_holds_the_same_numbers_and_runs(tmp_path: Path) -> None:
    net = define(NET)
    inside, beside = tmp_path / "inside.onnx", tmp_path / "beside.onnx"
    net.compile(inside)
    net.compile(beside, external=True)
    (data,) = tmp_path.glob("beside.onnx.*.data")
    assert beside.stat().st_size < 4096 < data.stat().st_size
    assert_same(arrays(inside), arrays(beside))
    onnx.checker.check_model(str(beside), full_check=True)
    feeds = random_feeds(net.graph)
    first, second = (open_session(path, "cpu").run(feeds)["y"] for path in (inside, beside))
    np.testing.assert_array_equal(first, second)


def test_large_weights_go_beside_the_model_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = define(NET).model()
    write_model(model, tmp_path / "m.onnx")
    assert files(tmp_path) == ["m.onnx"]
    monkeypatch.setattr(runtime.models, "LARGEST_INSIDE", 10_000)
    write_model(model, tmp_path / "m.onnx")
    assert len(files(tmp_path)) == 2
    write_model(model, tmp_path / "m.onnx", external=False)
    assert files(tmp_path) == ["m.onnx"]


def test_weights_that_do_not_fit_inside_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.models, "LARGEST_MESSAGE", 10_000)
    with pytest.raises(CallError, match="--no-external-data"):
        define(NET).compile(tmp_path / "m.onnx", external=False)
    assert files(tmp_path) == []


def test_a_model_too_large_for_one_message_is_run_from_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = define(NET)
    feeds = random_feeds(net.graph)
    for dtype in ("f32", "f16", "bf16"):
        model = net.model(dtype=dtype)
        whole = open_session(model, "cpu").run(feeds)["y"]
        with monkeypatch.context() as patch:
            patch.setattr(runtime.session, "LARGEST_INSIDE", 10_000)
            np.testing.assert_array_equal(open_session(model, "cpu").run(feeds)["y"], whole)


@pytest.mark.parametrize("length", [233, 234, 255])
def test_a_long_name_has_data_of_its_own(tmp_path: Path, length: int) -> None:
    net = define(NET)
    beginning = "é" * 50 + "n" * (length - 106)
    first, second = (tmp_path / f"{beginning}{letter}.onnx" for letter in "ab")
    for path in (first, second):
        net.compile(path, seed=1, external=True)
    assert len(files(tmp_path)) == 4
    net.compile(second, seed=2, external=True)
    assert len(files(tmp_path)) == 4
    for path in (first, second):
        onnx.load_model(path)  # its data is there


def test_the_data_of_a_model_that_is_replaced_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    net = define(NET)
    net.compile(path, seed=1, external=True)
    first = files(tmp_path)
    (tmp_path / "m.onnx.0123456789abcdef.data").write_bytes(b"of somebody else")
    net.compile(path, seed=2, external=True)
    assert first[0] in files(tmp_path) and first[1] not in files(tmp_path)
    assert "m.onnx.0123456789abcdef.data" in files(tmp_path), "no model of ours names it"
    assert len(files(tmp_path)) == 3


def test_the_same_weights_have_data_of_the_same_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        define(NET).compile(tmp_path / folder / "m.onnx", external=True)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    for name in files(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_failure_on_the_way_leaves_the_old_pair_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.onnx"
    net = define(NET)
    net.compile(path, seed=1, external=True)
    before, old = files(tmp_path), arrays(path)
    for failing in ("replace", "chmod"):
        with monkeypatch.context() as patch:

            def fail(self: Path, *rest: object, name: str = failing) -> None:
                raise OSError(28, "no space left on device", str(self))

            patch.setattr(Path, failing, fail)
            with pytest.raises(netc.MachineError, match="No space"):
                net.compile(path, seed=2, external=True)
        assert files(tmp_path) == before
        assert_same(arrays(path), old)


def test_what_a_killed_process_left_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    stale = tmp_path / ".netc-abcdefgh.onnx"
    alive = tmp_path / ".netc-stuvwxyz.onnx"
    other = tmp_path / ".other-abcdefgh.onnx"
    for path in (stale, alive, other):
        path.write_bytes(b"half")
    with alive.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write_whole(tmp_path / "m.onnx", b"whole")
    assert files(tmp_path) == [alive.name, other.name, "m.onnx"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(netc.CallError, match=f"there is no folder {tmp_path / 'nowhere'}"):
        write_whole(tmp_path / "nowhere" / "m.onnx", b"")


def test_a_folder_or_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("folder", "a folder"), ("pipe", "a device or pipe")):
        with pytest.raises(netc.CallError, match=f"{name} .*{kind} is not replaced by a file"):
            write_whole(tmp_path / name, b"new")
    assert files(tmp_path) == ["folder", "pipe"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "m.onnx"
    link.symlink_to(tmp_path / "far" / "real.onnx")
    net = define(NET)
    net.compile(link, seed=1, external=True)
    net.compile(link, seed=2, external=True)
    assert link.is_symlink() and len(files(tmp_path / "far")) == 2
    want = net.run(np.ones((3, 16, 16)), device="cpu", seed=2)["y"]
    for path in (link, tmp_path / "far" / "real.onnx"):
        got = open_session(path, "cpu").run({"x": np.ones((1, 3, 16, 16), np.float32)})["y"]
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert netc.read(link).weights.keys() == net.weights.keys()


def test_a_full_disk_is_said_of_the_file_that_is_written(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        raise OSError(28, "no space left on device")

    with pytest.raises(netc.MachineError, match=r"m\.onnx cannot be written: No space"):
        write_whole(tmp_path / "m.onnx", fail)


def test_bytes_do_not_depend_on_process_hash_seed_or_working_directory(tmp_path: Path) -> None:
    source = tmp_path / "defs" / "small.netdef"
    source.parent.mkdir()
    source.write_text(NET, encoding="utf-8")
    made = []
    for seed, folder in (("0", tmp_path), ("1", source.parent), ("77", Path("/"))):
        target = tmp_path / f"out{seed}"
        target.mkdir()
        call = [sys.executable, "-m", "netc", "compile", os.path.relpath(source, folder)]
        call += ["-o", str(target / "m.onnx"), "--external-data", "--dtype", "f16"]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run(call, cwd=folder, env=environment, check=True, capture_output=True)
        made.append({name: (target / name).read_bytes() for name in files(target)})
    assert len(made[0]) == 2
    assert made[0] == made[1] == made[2]


def test_the_command_says_precision_and_opset(tmp_path: Path) -> None:
    for dtype, said in (("f16", "float16, opset 21"), ("bf16", "bfloat16, opset 22")):
        call = ["compile", "lenet5", "--net", "lenet5", "--dtype", dtype]
        result = CliRunner().invoke(main, [*call, "-o", str(tmp_path / "m.onnx")])
        assert result.exit_code == 0 and said in result.output


def test_the_command_refuses_numbers_that_float16_cannot_hold(tmp_path: Path) -> None:
    source = tmp_path / "n.netdef"
    source.write_text(
        "net n() { input x: f32[2]; dense(1, weight=[[7e4, 1]], bias=false); output y }"
    )
    target = tmp_path / "m.onnx"
    result = CliRunner().invoke(main, ["compile", str(source), "--dtype", "f16", "-o", str(target)])
    assert result.exit_code == 2 and "--dtype bf16" in result.output
    assert not target.exists()
