"""Our ONNX files on ONNX Runtime's CPU against torch.onnx.export's, PyTorch itself and int8."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Options, Row, Timing, lacks, process

NETS = ("resnet50", "vgg_d", "googlenet", "dcgan_generator")
BATCHES = (1, 8)
NEEDS = ("torch", "onnx", "onnxscript", "onnxruntime", "lark", "networkx", "safetensors")
SECONDS = 5  # for each side
EXPORTED, EAGER, INT8 = "torch.onnx.export", "PyTorch eager", "ours, int8"
BOUNDS = {EXPORTED: 1.03, EAGER: 0.7}


def rows(options: Options) -> list[Row]:
    """Each net and batch size in a process of the Python that has torch, all sides in turn."""
    missing = lacks(options.torch, NEEDS)
    if missing:
        return [Row(f"run {net}", skipped=missing) for net in NETS]
    return [row for net in NETS for batch in BATCHES for row in measured(net, batch, options)]


def measured(net: str, batch: int, options: Options) -> Iterator[Row]:
    """A row for each yardstick."""
    call = ["-m", "benchmarks.inference_side", net, str(batch), str(SECONDS)]
    done = process(options.torch, *call, *(["--busy"] if options.busy else []))
    seconds: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["seconds"]
    ours = milliseconds("ours", seconds)
    for side in (EXPORTED, EAGER):
        yield Row(f"run {net}, batch {batch}", ours, milliseconds(side, seconds), BOUNDS[side])
    int8 = milliseconds(INT8, seconds)
    yield Row(f"run {net} in int8, batch {batch}", int8, milliseconds("ours", seconds))


def milliseconds(side: str, seconds: dict[str, list[float]]) -> Timing:
    """What one side took, round by round."""
    words = {"ours": "netc, ONNX Runtime", EXPORTED: f"{EXPORTED}, ONNX Runtime"}
    return Timing(words.get(side, side), tuple(s * 1e3 for s in seconds[side]), "ms")
