"""What one training takes of the memory, in netc or in PyTorch; run by the Python that has torch.

    python -m benchmarks.step_memory_side NAME netc|torch

prints the bytes by which the process grew at most, from the parameters on, in three turns of all
steps. Each side has a process of its own.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

from benchmarks.measure import THREADS
from benchmarks.memory import RESET, resident
from benchmarks.training_side import netc_round, torch_round
from benchmarks.trainings import TRAININGS
from compiler.driver import check_training, load
from grammar.source import Source
from runtime.verify.step import random_step

TURNS = 3


def main(name: str, side: str) -> None:
    """One side's turns."""
    timed = TRAININGS[name]
    torch.set_num_threads(THREADS)
    (item,) = load(Source("timed.netdef", timed.text)).trainings()
    training = check_training(item).training
    assert training is not None
    feeds: dict[str, Any] = {}
    for plan in training.steps:
        feeds |= random_step(training, plan, 0, timed.batch)
    RESET.write_text("5")  # the high-water mark begins anew
    before = resident("VmRSS")
    if side == "netc":
        run = netc_round(training, feeds, THREADS)
    else:
        run = torch_round(timed, training, feeds)
    for _ in range(TURNS):
        run()
    print(resident("VmHWM") - before)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
