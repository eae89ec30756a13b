"""What one training takes of the memory, in netc or in PyTorch; run by the Python that has torch.

    python -m benchmarks.step_memory_side NAME netc|torch

prints the bytes by which the process grew at most, from the parameters on, in three turns of all
steps. Each side has a process of its own.
"""

from __future__ import annotations

import sys

import torch

from benchmarks.measure import THREADS
from benchmarks.memory import RESET, resident
from benchmarks.training_side import netc_round, prepared, torch_round
from benchmarks.trainings import TRAININGS

TURNS = 3


def main(name: str, side: str) -> None:
    """One side's turns."""
    timed = TRAININGS[name]
    torch.set_num_threads(THREADS)
    training, feeds = prepared(timed)
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
