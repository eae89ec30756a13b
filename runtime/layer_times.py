"""How long each layer of a compiled model takes, as ONNX Runtime itself measures it on the CPU.

A GPU's own measurements are those of launching its kernels, not of running them.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from numpy.typing import NDArray

from runtime.bench import block_time, warm_up
from runtime.machine import processor
from runtime.providers import VERSION
from runtime.session import open_session
from runtime.settings import Settings

ROUNDS = 10
LONG = 10.0  # seconds after which no more rounds are begun
# What ONNX Runtime calls a node's kernel: `fused ip1_kernel_time`, `conv1_nchwc_kernel_time`.
KERNEL = re.compile(r"(?:fused )?(.+?)(?:_nchwc)?_kernel_time", re.DOTALL)


@dataclass(frozen=True)
class LayerTimes:
    """Seconds of each layer, the median of several runs of one sample.

    A layer that ONNX Runtime has taken into another is not among them. `beside` is what it does
    between layers, such as ordering tensors anew; `whole` is a run from its beginning to its end,
    measured apart, and `machine` where.
    """

    layers: Mapping[str, float]
    beside: float
    whole: float
    machine: str


def measured(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> LayerTimes:
    """Run a model that netc compiled, and sum up the times of each layer's nodes."""
    layer_of = {
        node.name: entry.value
        for node in model.graph.node
        for entry in node.metadata_props
        if entry.key == "netc.layer"
    }
    plain = open_session(model, "cpu")
    warm_up(lambda: plain.run(feeds))
    whole = statistics.median(block_time(lambda: plain.run(feeds), 1) for _ in range(ROUNDS))
    runs = [by_layer(events, layer_of) for events in profiled(model, feeds, whole)]
    names = dict.fromkeys(name for run in runs for name in run)
    medians = {name: statistics.median(run.get(name, 0.0) for run in runs) for name in names}
    beside = medians.pop("", 0.0)
    cpu = processor()
    machine = f"{cpu.name}, {cpu.cores} cores, ONNX Runtime {VERSION}"
    return LayerTimes(medians, beside, whole, machine)


def profiled(
    model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]], whole: float
) -> list[list[dict[str, Any]]]:
    """The events of the nodes in each of several runs, the first one left out."""
    rounds = max(1, min(ROUNDS, int(LONG / whole)))
    with TemporaryDirectory() as folder:
        session = open_session(model, "cpu", Settings(profile=Path(folder) / "nodes"))
        for _ in range(rounds + 1):
            session.run(feeds)
        events = json.loads(session.end_profile().read_text(encoding="utf-8"))
    runs: list[list[dict[str, Any]]] = []
    waiting: list[dict[str, Any]] = []
    for event in events:  # those of a run come before the event of the run itself
        if event["name"] == "model_run":
            runs.append(waiting)
            waiting = []
        elif event.get("cat") == "Node":
            waiting.append(event)
    return runs[1:]


def by_layer(events: list[dict[str, Any]], layer_of: Mapping[str, str]) -> dict[str, float]:
    """Seconds by layer; "" has those of what ONNX Runtime added."""
    found: dict[str, float] = defaultdict(float)
    for event in events:
        kernel = KERNEL.fullmatch(event["name"])
        if kernel is not None:
            found[layer_of.get(kernel[1], "")] += event["dur"] / 1e6
    return found
