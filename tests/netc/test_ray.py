"""`netc run --engine ray`: nothing lost, nothing doubled, whatever is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from netc.ray_engine import LARGEST, check_worked, shards_of
from netc.shards import Job, Shard, ShardWorker, table_of
from runtime.errors import CallError, MachineError
from tests.netc.command import netc

ROOT = Path(__file__).parents[2]
COUNT = 24
PETS = """
net pets {
    input image: f32[3, 32, 32] from picture(resize=36, crop=32)
    conv(8, 3x3) -> relu as maps
    gap -> flatten -> dense(4)
    output probs = softmax
}
"""
needs_ray = pytest.mark.skipif(
    any(util.find_spec(name) is None for name in ("ray", "pandas", "pyarrow")),
    reason="Ray is not installed: netc[ray]",
)
needs_arrow = pytest.mark.skipif(util.find_spec("pyarrow") is None, reason="no pyarrow")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and pictures, one of which is broken and one too small."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets.netdef").write_text(PETS)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(COUNT):
        pixels = random.integers(0, 256, (40, 50 + number, 3), dtype=np.uint8)
        place = tmp_path / "photos" / ("deep" if number % 2 else "")
        Image.fromarray(pixels).save(place / f"{number}.png")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "some.txt").write_text("words")
    return tmp_path


def results(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of all files by sample; each sample has one."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(folder).to_pylist()
    found = {row["sample"]: row for row in rows}
    assert len(found) == len(rows)
    return found


@needs_ray
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(here: Path) -> None:
    call = [sys.executable, "-m", "tests.netc.ray_run", str(here)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second, third, other = json.loads(done.stdout.splitlines()[-1])
    assert (here / "killed").exists()
    assert first[0] == 0 and f"{COUNT + 1} pictures; 2 workers of 1 thread" in first[1]
    assert "1 is broken: see the column error" in first[2]
    assert second[0] == 0 and f" pictures, {COUNT - 1} are done" in second[1]
    assert third[:2] == [0, f"results has the results of all {COUNT + 2} pictures\n"]
    assert other[0] == 2 and "results of another model" in other[2]
    netc("compile", "pets.netdef", "-o", "pets.onnx")
    assert (here / "results" / "_model.onnx").read_bytes() == (here / "pets.onnx").read_bytes()
    rows = results(here / "results")
    assert rows.keys() == {str(p.relative_to(here)) for p in here.rglob("photos/**/*.*")}
    assert "no picture that can be read" in rows["photos/broken.jpg"]["error"]
    assert rows["photos/broken.jpg"]["probs"] is None
    netc("run", "pets.netdef", "--image", "photos/deep", "--out", "y.parquet")
    plain = results(here / "y.parquet")
    assert len(plain) == COUNT // 2
    for name, row in plain.items():
        np.testing.assert_allclose(row["probs"], rows[name]["probs"], rtol=1e-5)
        assert rows[name]["probs.class"] == row["probs.class"] and rows[name]["error"] is None


@needs_arrow
def test_a_shard_done_again_is_the_same_file(here: Path) -> None:
    netc("compile", "pets.netdef", "-o", "pets.onnx")
    worker = ShardWorker(Job("pets.onnx", str(here), str(here), size=3))
    files = tuple(str(p.relative_to(here)) for p in sorted(here.rglob("photos/*.*")))
    rows = {"files": [json.dumps(files)]}
    made = worker(rows)
    assert (made["pictures"], made["broken"]) == ([len(files)], [1]) and made["seconds"][0] > 0
    path = here / Shard(files).name
    before = path.read_bytes()
    worker(rows)
    assert path.read_bytes() == before and [*here.glob("part-*")] == [path]
    assert [*results(path)] == [*files]


@needs_arrow
def test_maps_of_open_sizes_have_their_shape_beside_them(here: Path) -> None:
    text = "net open { input image: f32[1, H, W]; conv(2, 3x3); output y }"
    (here / "open.netdef").write_text(text)
    netc("compile", "open.netdef", "-o", "open.onnx")
    worker = ShardWorker(Job("open.onnx", str(here), str(here)))
    files = ("photos/0.png", "photos/broken.jpg", "photos/2.png")
    errors, outputs = worker.results(files)
    table = table_of(files, outputs, errors, worker.runnable)
    assert table["y.shape"].to_pylist() == [[2, 38, 48], None, [2, 38, 50]]
    assert [v and len(v) for v in table["y"].to_pylist()] == [2 * 38 * 48, None, 2 * 38 * 50]
    assert [e is None for e in table["error"].to_pylist()] == [True, False, True]


def test_shards_are_equal_parts_and_several_for_each_worker() -> None:
    files = [f"{number}.png" for number in range(1001)]
    shards = shards_of(files, 4)
    assert [f for shard in shards for f in shard.files] == files
    assert 25 <= len(shards) <= 33 and len({shard.name for shard in shards}) == len(shards)
    assert max(len(s.files) for s in shards_of(["a"] * 10 * LARGEST, 1)) == LARGEST
    assert [len(shard.files) for shard in shards_of(files[:3], 8)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--random", "--out", "r"], "runs pictures"),
        (["--image", "photos"], "--out FOLDER"),
        (["--image", "photos", "--out", "r", "--format", "csv"], "--out FOLDER"),
        (["--image", "photos", "--out", "some.txt"], "is a file"),
        (["--image", "photos", "--out", "r", "--device", "numpy"], "no --device numpy"),
        (["--image", "photos", "--out", "r", "--device", "cuda:1"], "without a number"),
    ],
)
def test_what_one_machine_does_is_refused(here: Path, more: list[str], message: str) -> None:
    refused = netc("run", "pets.netdef", "--engine", "ray", *more)
    assert refused.exit_code == 2 and message in refused.stderr
    assert not (here / "r").exists()


@needs_ray
def test_an_address_where_nobody_listens_is_told_soon(here: Path) -> None:
    call = ["run", "pets.netdef", "--image", "photos", "--engine", "ray", "--out", "r"]
    refused = netc(*call, "--address", "127.0.0.1:1")
    assert refused.exit_code == 3 and "nobody listens at 127.0.0.1:1" in refused.stderr
    refused = netc(*call, "--address", "head")
    assert refused.exit_code == 2 and "HOST:PORT" in refused.stderr


@needs_arrow
def test_what_keeps_a_worker_from_working_is_told_as_data(here: Path) -> None:
    netc("compile", "pets.netdef", "-o", "pets.onnx")
    worker = ShardWorker(Job("pets.onnx", str(here), str(here), device="openvino:7"))
    (failure,) = worker({"files": ['["photos/0.png"]']})["failure"]
    with pytest.raises((CallError, MachineError), match="openvino"):
        check_worked(failure)
    check_worked("")


def test_options_of_ray_need_ray(here: Path) -> None:
    refused = netc("run", "pets.netdef", "--image", "photos", "--workers", 2)
    assert refused.exit_code == 2 and "are of --engine ray" in refused.stderr


def test_without_ray_the_machine_cannot(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    call = ["run", "pets.netdef", "--image", "photos", "--engine", "ray", "--out", "r"]
    refused = netc(*call)
    assert refused.exit_code == 3 and "pip install '.[ray]'" in refused.stderr
    assert not (here / "r").exists()
