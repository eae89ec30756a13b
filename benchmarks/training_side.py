"""One training, all its steps, in netc and in PyTorch; run by the Python that has torch.

    python -m benchmarks.training_side NAME SECONDS [--busy]

prints one line of JSON: for each side the seconds of each round, and the difference of the first
losses, which start from the same parameters. `--busy` is for a machine that others use as well:
one thread each, and the processor time of this process instead of the clock on the wall.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.measure import THREADS
from benchmarks.trainings import TRAININGS, Timed
from compiler.driver import check_training, load
from compiler.training.layout import LOSS, layout_of
from compiler.training.model import TrainingPlan
from grammar.source import Source
from runtime.settings import Settings
from runtime.training.engine import DeviceEngine
from runtime.verify.step import RATE, random_step

Round = Callable[[], list[float]]


def main(name: str, seconds: str, busy: bool) -> None:
    """Build both sides, compare their losses, time them in turn."""
    timed, threads = TRAININGS[name], 1 if busy else THREADS
    torch.set_num_threads(threads)
    training, feeds = prepared(timed)
    theirs, ours = torch_round(timed, training, feeds), netc_round(training, feeds, threads)
    sides = {"ours": ours, "torch": theirs}
    first = {side: run()[0] for side, run in sides.items()}
    difference = abs(abs(first["ours"]) - abs(first["torch"])) / abs(first["torch"])
    clock = time.process_time if busy else time.perf_counter
    times: dict[str, list[float]] = {side: [] for side in sides}
    end = time.perf_counter() + float(seconds)
    while time.perf_counter() < end or len(times["ours"]) < 3:
        for side, run in sides.items():
            start = clock()
            run()
            times[side].append(clock() - start)
    print(json.dumps({"seconds": times, "difference": difference}))


def prepared(timed: Timed) -> tuple[TrainingPlan, dict[str, Any]]:
    """A checked training, and what all of its steps are fed."""
    (item,) = load(Source("timed.netdef", timed.text)).trainings()
    training = check_training(item).training
    assert training is not None
    feeds: dict[str, Any] = {}
    for plan in training.steps:
        feeds |= random_step(training, plan, 0, timed.batch)
    return training, feeds


def netc_round(training: TrainingPlan, feeds: dict[str, Any], threads: int) -> Round:
    """One turn of all steps, as `netc train` takes them."""
    layouts = tuple(layout_of(plan) for plan in training.steps)
    arrays = {name: feeds[name] for layout in layouts for name in (*layout.arrays, *layout.states)}
    engine = DeviceEngine(training, layouts, arrays, "cpu", Settings(threads=threads))
    batches = [{n: feeds[n] for n in (*layout.batch, *layout.masks)} for layout in layouts]
    counts = itertools.count(2)

    def run() -> list[float]:
        count = next(counts)
        return [
            engine.step(index, batch, [RATE] * len(layout.rates), count)[LOSS]
            for index, (layout, batch) in enumerate(zip(layouts, batches, strict=True))
        ]

    return run


def torch_round(timed: Timed, training: TrainingPlan, feeds: dict[str, Any]) -> Round:
    """The same in PyTorch, eager, with parameters of the same numbers."""
    nets = {name: make().train() for name, make in timed.nets.items()}
    prefixes = {net.graph.name: net.prefix for net in training.nets}
    for name, module in nets.items():
        net = next(each for each in training.nets if each.prefix == prefixes[name])
        arrays = [n for n, w in net.graph.parameters().items() if not w.buffer]
        for parameter, array in zip(module.parameters(), arrays, strict=True):
            parameter.data = torch.from_numpy(np.array(feeds[f"{net.prefix}.{array}"]))
    batch: dict[str, Any] = {
        n: torch.from_numpy(feeds[n]) for n in ("image", "label", "x", "z") if n in feeds
    }
    optimisers = [make(nets[name].parameters()) for name, make in timed.moves]

    def run() -> list[float]:
        losses = []
        for loss, optimiser in zip(timed.losses, optimisers, strict=True):
            optimiser.zero_grad()
            value = loss(nets, batch)
            value.backward()
            optimiser.step()
            losses.append(value.item())
        return losses

    return run


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--busy" in sys.argv)
