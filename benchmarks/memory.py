"""The NumPy interpreter's memory at its peak, against what the analysis predicts.

`python -m benchmarks.memory NET BATCH` prints one line of JSON: the bytes by which the process grew
for the weights and one run, and the bytes predicted for them: live activations, weights, and one
buffer of unrolled windows, of the size that the convolution keeps to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import netc
from benchmarks.measure import Options, Row, Timing, process
from compiler.initialise import initialise
from runtime.kernels.convolution import COLUMNS
from runtime.random_inputs import random_feeds
from runtime.reference import run_reference

NETS = (("resnet50", 1), ("resnet50", 8), ("googlenet", 1), ("googlenet", 8), ("vgg_d", 1))
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def rows(options: Options) -> list[Row]:
    """At most half more than predicted."""
    if not STATUS.exists():
        return [Row("memory", skipped="the peak of the resident memory is known on Linux only")]
    return [row(net, batch) for net, batch in NETS]


def row(net: str, batch: int) -> Row:
    """One network in a process of its own."""
    done = process(sys.executable, "-m", "benchmarks.memory", net, str(batch))
    peak, predicted = (size / 2**20 for size in json.loads(done.stdout))
    return Row(
        f"memory of {net}, batch {batch}",
        Timing("netc, NumPy", (peak,), "MiB"),
        Timing("predicted", (predicted,), "MiB"),
        bound=1.5,
    )


def main(name: str, batch: int) -> None:
    """Load the weights and run the net once."""
    net = netc.load(name, name)
    feeds = random_feeds(net.graph, 0, batch)
    square = np.ones((256, 256), dtype=np.float32)
    np.matmul(square, square)  # BLAS takes its own buffers when it is first called
    RESET.write_text("5")  # the high-water mark begins anew
    before = resident("VmRSS")
    graph = initialise(net.graph)
    run_reference(graph, feeds)
    weights = sum(value.nbytes for value in graph.values.values())
    assert net.analysis.peak is not None
    predicted = batch * net.analysis.peak + weights + COLUMNS * square.itemsize
    print(json.dumps([resident("VmHWM") - before, predicted]))


def resident(field: str) -> int:
    """A size of this process in bytes."""
    (line,) = [x for x in STATUS.read_text().splitlines() if x.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
