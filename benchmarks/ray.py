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
from compiler.files import Files
from netc.execute import RunOptions
from netc.main import main as netc
from netc.options import NetChoice

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
        clock = time.process_time if options.busy else time.perf_counter
        for workers in WORKERS:
            sides = {
                "ray": partial(on_ray, folder, workers, clock),
                "here": partial(here, folder, clock),
            }
            found = in_turn(sides, min(options.runs, 3))
            ours = Timing(f"Ray, {workers} worker{'s' * (workers > 1)}", found["ray"], "ms")
            yield Row("ResNet-18, a picture", ours, Timing("netc run", found["here"], "ms"))


def call(*words: object) -> None:
    """A command of netc in this process."""
    netc([str(word) for word in words], standalone_mode=False)


def difference(run: Callable[[list[str]], float], folder: Path) -> float:
    """Milliseconds a picture, of the difference between many and few."""
    few, more = str(folder / "few"), str(folder / "more")
    return 1e3 * (run([few, more]) - run([few])) / (MANY - FEW)


def here(folder: Path, clock: Callable[[], float]) -> float:
    """Milliseconds a picture in this process."""

    def run(folders: list[str]) -> float:
        images = [word for name in folders for word in ("--image", name)]
        start = clock()
        out = ["--out", folder / "here.parquet", "--device", "cpu"]
        call("run", folder / "resnet18.onnx", *images, *out)
        return clock() - start

    return difference(run, folder)


RUNS = count()


def on_ray(folder: Path, workers: int, clock: Callable[[], float]) -> float:
    """Milliseconds a picture in so many workers of a cluster that starts before and ends after.

    Where the processor's time counts it is that of this process and what the workers say.
    """
    import ray

    from netc.ray_engine import STORE, run_on_ray

    ray.init(
        address="local",
        num_cpus=max(workers, os.cpu_count() or 1),
        object_store_memory=STORE,
        include_dashboard=False,
        log_to_driver=False,
    )

    def run(folders: list[str]) -> float:
        out = folder / f"run{next(RUNS)}"
        wanted = RunOptions(images=tuple(folders), device="cpu", out=out)
        choice = NetChoice(None, {}, Files(()))
        start = clock()
        done = run_on_ray(str(folder / "resnet18.onnx"), wanted, choice, workers=workers)
        return clock() - start + (done.seconds if clock is time.process_time else 0.0)

    try:
        return difference(run, folder)
    finally:
        ray.shutdown()
