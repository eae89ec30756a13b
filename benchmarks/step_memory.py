"""The memory of a training step at its peak, against what `netc summary --train` predicts, and
against PyTorch.

`python -m benchmarks.step_memory NET BATCH [--checkpoint]` prints one line of JSON: the bytes by
which the process grew for the arrays of a run and three of its steps, and the bytes predicted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.measure import Options, Row, Timing, lacks, process
from benchmarks.memory import RESET, STATUS, resident
from benchmarks.training import EAGER, NEEDS
from compiler.driver import check_training, load
from compiler.onnx.memory import step_memory
from compiler.onnx.step import build_step
from compiler.training.layout import layout_of
from grammar.source import Source
from runtime.training.engine import DeviceEngine
from runtime.verify.step import RATE, random_step

NETS = (("resnet20", 128, False), ("resnet56", 64, False), ("resnet56", 64, True))
BOUND = 1.25
BESIDE, BOUND_BESIDE = ("resnet20", "dcgan"), 1.2  # of PyTorch's
TEXT = """
use {net} from "resnet_cifar.netdef"
train t {{
    data image: f32[3, 32, 32], label: class[10]
    scores = {net}(image)
    minimize cross_entropy(scores.logits, label)
    update {net} with sgd(0.1, momentum=0.9)
    batch {batch}; epochs 1
}}
"""
STEPS = 3


def rows(options: Options) -> Iterator[Row]:
    """As they are kept, and one net whose activations are worked out twice."""
    if not STATUS.exists():
        yield Row("memory of a step", skipped="the peak of memory is known on Linux only")
        return
    for net, batch, checkpoint in NETS:
        again = ["--checkpoint"] if checkpoint else []
        done = process(sys.executable, "-m", "benchmarks.step_memory", net, str(batch), *again)
        peak, predicted = (size / 2**20 for size in json.loads(done.stdout))
        yield Row(
            " ".join([f"memory of a step of {net}, batch {batch}", *again]),
            Timing("netc, ONNX Runtime", (peak,), "MiB"),
            Timing("predicted", (predicted,), "MiB"),
            bound=BOUND,
        )
    missing = lacks(options.torch, NEEDS)
    for name in BESIDE:
        if missing:
            yield Row(f"memory of training {name}", skipped=missing)
            continue
        ours, theirs = (
            Timing(what, (int(printed(options.torch, name, side)) / 2**20,), "MiB")
            for side, what in (("netc", "netc, ONNX Runtime"), ("torch", EAGER))
        )
        yield Row(f"memory of training {name}", ours, theirs, BOUND_BESIDE)


def printed(python: str, name: str, side: str) -> str:
    """What `step_memory_side` prints."""
    return process(python, "-m", "benchmarks.step_memory_side", name, side).stdout


def main(net: str, batch: str, checkpoint: bool) -> None:
    """Three steps on random data."""
    (item,) = load(Source("measured.netdef", TEXT.format(net=net, batch=batch))).trainings()
    training = check_training(item).training
    assert training is not None
    (plan,) = training.steps
    layout = layout_of(plan)
    feeds = random_step(training, plan, 0, training.batch)
    arrays = {name: feeds[name] for name in (*layout.arrays, *layout.states)}
    batches = {name: feeds[name] for name in (*layout.batch, *layout.masks)}
    engine = DeviceEngine(training, (layout,), arrays, "cpu", checkpoint=checkpoint)
    # The batch is there before; the arrays of a step are those that the one before it gave.
    held = sum(array.nbytes for array in batches.values())
    RESET.write_text("5")  # the high-water mark begins anew
    before = resident("VmRSS")
    for count in range(1, STEPS + 1):
        engine.step(0, batches, [RATE], count)
    peak = resident("VmHWM") - before + held
    predicted = step_memory(build_step(plan, checkpoint=checkpoint), layout, training.batch)
    print(json.dumps([peak, predicted.total]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--checkpoint" in sys.argv)
