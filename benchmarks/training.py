"""A training step on ONNX Runtime's CPU against PyTorch eager; how soon a large one is built."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Options, Row, Timing, lacks, process
from compiler.driver import check_training, load
from compiler.onnx.step import build_step
from grammar.source import Source

NEEDS = ("torch", "onnx", "onnxruntime", "lark", "networkx")
SECONDS = 12
EAGER = "PyTorch eager"
BOUNDS = {"lenet5": 0.7, "resnet20": 1.2, "dcgan": 1.2, "densenet22": None}
LARGE = """
use resnet50 from "resnet.netdef"
train t {
    data image: f32[3, 224, 224], label: class[1000]
    minimize cross_entropy(resnet50(image), label)
    update resnet50 with sgd(0.1, momentum=0.9, decay=1e-4)
    batch 32; epochs 1
}
"""
LONGEST_BUILD = 2.0  # seconds, for ResNet-50


def rows(options: Options) -> Iterator[Row]:
    """Each training in a process of the Python that has torch, both sides in turn."""
    yield Row("build the step of ResNet-50", built(options.runs), bound=LONGEST_BUILD)
    missing = lacks(options.torch, NEEDS)
    for name, bound in BOUNDS.items():
        if missing:
            yield Row(f"train {name}", skipped=missing)
            continue
        call = ["-m", "benchmarks.training_side", name, str(SECONDS)]
        done = process(options.torch, *call, *(["--busy"] if options.busy else []))
        seconds: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["seconds"]
        ours, theirs = (
            Timing(what, tuple(s * 1e3 for s in seconds[side]), "ms")
            for side, what in (("ours", "netc, ONNX Runtime"), ("torch", EAGER))
        )
        yield Row(f"a step of {name}", ours, theirs, bound)


def built(runs: int) -> Timing:
    """The seconds from the checked training to its model."""
    (item,) = load(Source("timed.netdef", LARGE)).trainings()
    training = check_training(item).training
    assert training is not None
    values = []
    for _ in range(runs):
        start = time.perf_counter()
        build_step(training.steps[0])
        values.append(time.perf_counter() - start)
    return Timing("netc", tuple(values))
