"""What a picture costs in workers of Ray, against `netc run` in one process.

Both read photographs, run ResNet-18 and write Parquet; of two runs of different length the
difference counts, so that starting is left out. Seconds are those of the clock, or with --busy the
processor's, of all processes together.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from benchmarks.measure import ROOT, Options, Row, Timing, in_turn
from netc.main import main as netc

FEW, MANY = 32, 160  # pictures of the two runs
WORKERS = (1, 2, 4)


def rows(options: Options) -> Iterator[Row]:
    """Milliseconds a picture with 1, 2 and 4 workers."""
    if find_spec("ray") is None:
        yield Row("ray", skipped="no Ray: pip install '.[ray]'")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(MANY):
            place = folder / ("few" if number < FEW else "more")
            place.mkdir(exist_ok=True)
            shutil.copy(ROOT / "docs" / "photograph.jpg", place / f"{number}.jpg")
        model = folder / "resnet18.onnx"
        call("compile", "resnet18", "-o", model)
        clock = processor_time if options.busy else time.perf_counter
        for workers in WORKERS:
            sides = {
                "ray": partial(on_ray, folder, workers, clock),
                "here": partial(here, folder, clock),
            }
            found = in_turn(sides, min(options.runs, 3))
            ours = Timing(f"Ray, {workers} workers", found["ray"], "ms")
            yield Row("ResNet-18, a picture", ours, Timing("netc run", found["here"], "ms"))


def call(*words: object) -> None:
    """A command of netc in this process."""
    netc([str(word) for word in words], standalone_mode=False)


def difference(run: Callable[[list[str]], None], folder: Path, clock: Callable[[], float]) -> float:
    """Milliseconds a picture, of the difference between many and few."""
    times = []
    for places in (["few"], ["few", "more"]):
        given = [word for place in places for word in ("--image", str(folder / place))]
        start = clock()
        run(given)
        times.append(clock() - start)
    return 1e3 * (times[1] - times[0]) / (MANY - FEW)


def here(folder: Path, clock: Callable[[], float]) -> float:
    """Milliseconds a picture in this process."""
    out = ["--out", str(folder / "here.parquet"), "--device", "cpu"]
    model = folder / "resnet18.onnx"
    return difference(lambda images: call("run", model, *images, *out), folder, clock)


RUNS = count()


def on_ray(folder: Path, workers: int, clock: Callable[[], float]) -> float:
    """Milliseconds a picture in so many workers of a cluster that starts before and ends after."""
    import ray

    from netc.ray_engine import STORE

    ray.init(
        address="local",
        num_cpus=max(workers, os.cpu_count() or 1),
        object_store_memory=STORE,
        include_dashboard=False,
        log_to_driver=False,
    )
    model = folder / "resnet18.onnx"
    more = ["--engine", "ray", "--workers", str(workers), "--device", "cpu"]

    def run(images: list[str]) -> None:
        call("run", model, *images, *more, "--out", folder / f"run{next(RUNS)}")

    try:
        return difference(run, folder, clock)
    finally:
        ray.shutdown()


def processor_time() -> float:
    """Seconds that this process, and all that it started and that live or were waited for, took."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        spent[number] = sum(map(int, fields[11:15])) / ticks
    total = 0.0
    for number, seconds in spent.items():
        above = number
        while above not in (0, os.getpid()):
            above = parents.get(above, 0)
        total += seconds if above else 0.0
    return total
