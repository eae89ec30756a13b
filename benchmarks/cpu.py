"""Our ONNX files against those of `torch.onnx.export`, PyTorch itself and int8, on this CPU.

    python -m benchmarks.cpu [--batch 1,8] [--seconds 10] [--busy] [--json FILE] [NET …]

Needs PyTorch and onnxscript. Each net has the same random weights on all sides; before anything is
timed the outputs are compared. All sides run in one process, in turns, ONNX Runtime with the same
session settings for both files. Fails when ours takes more than 1.03 times the exported file's
time or 0.7 of PyTorch's (ratios of each round, median). `--busy` is for a machine that others use
as well: one thread each, and the processor time of this process instead of the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import netc
from benchmarks.torch_nets import NETS, scattered
from netc.tables import print_rows
from runtime.bench import Run, Timing, make_ready, ratios, significant, time_together
from runtime.describe import random_arrays
from runtime.devices import Device
from runtime.machine import processor
from runtime.providers import Settings
from runtime.quantize import Plan, loss, quantized
from runtime.session import open_session

LIMITS = {"torch.onnx.export": 1.03, "PyTorch eager": 0.7}
# VGG-16 is all 3x3 convolutions, at which both run near the processor's arithmetic peak.
LIMITS_OF_NET = {("vgg_d", "PyTorch eager"): 0.95}
CALIBRATION = 8  # random samples: for speed any will do
COLUMNS = (
    "net",
    "batch ",
    "side",
    "median ",
    "quartiles ",
    "samples/s ",
    "ours / this (quartiles) ",
)


def main() -> int:
    """The exit code: 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description="Time our nets on the CPU against PyTorch's.")
    parser.add_argument("nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)}")
    parser.add_argument("--batch", default="1,8")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each side")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time")
    given = parser.parse_args()
    cpu = processor()
    threads = 1 if given.busy else cpu.cores
    torch.set_num_threads(threads)
    print(
        f"{cpu.name}, {threads} of {cpu.cores} cores; ONNX Runtime {ort.__version__}, "
        f"PyTorch {torch.__version__}"
    )
    rows: list[dict[str, Any]] = []
    for name in given.nets or NETS:
        for batch in map(int, given.batch.split(",")):
            rows += measured(name, batch, given.seconds, busy=given.busy)
            print_rows(COLUMNS, map(cells, rows[-4:]))
    if given.json:
        head = {"cpu": cpu.name, "threads": threads, "onnxruntime": ort.__version__}
        given.json.write_text(json.dumps(head | {"torch": torch.__version__, "rows": rows}))
    broken = [row for row in rows if row["ratio"] > limit(row)]
    for row in broken:
        print(f"{row['net']}, batch {row['batch']}: {row['ratio']:.3f} of {row['side']}'s time")
    return 1 if broken else 0


@torch.inference_mode()
def measured(name: str, batch: int, seconds: float, *, busy: bool) -> list[dict[str, Any]]:
    """A row for each side at one batch size."""
    kind, shape = NETS[name]
    module = scattered(kind)
    (array,) = random_arrays([(batch, *shape)])
    given = torch.from_numpy(array)
    with tempfile.TemporaryDirectory() as folder:
        weights, exported = Path(folder) / "w.safetensors", Path(folder) / "exported.onnx"
        save_file(module.state_dict(), weights)
        net = netc.load(name, name).with_weights(weights)
        torch.onnx.export(module, (given,), exported, dynamo=True, verbose=False)
        model = net.model()
        feed = net.graph.inputs()[0].name
        samples = [{feed: a} for a in random_arrays([(1, *shape)] * CALIBRATION, seed=1)]
        int8 = quantized(model, CALIBRATION, lambda index: samples[index], Plan())
        device, settings = Device("cpu"), Settings(threads=1 if busy else processor().cores)
        check(name, open_session(model, "cpu").run({feed: array}), module(given).numpy())
        (accuracy,) = loss(model, int8, iter(samples)).values()
        runs: dict[str, Run] = {
            "ours": make_ready(model, [array], device, settings).run,
            "torch.onnx.export": make_ready(exported, [array], device, settings).run,
            "PyTorch eager": lambda: module(given),
            "ours, int8": make_ready(int8, [array], device, settings).run,
        }
    clock = time.process_time if busy else time.perf_counter
    times = time_together(runs, batch, seconds, clock)
    rows = [row(name, side, timing, times["ours"]) for side, timing in times.items()]
    rows[-1] |= {"snr_db": accuracy.snr, "top1": accuracy.top1}
    return rows


def check(name: str, ours: dict[str, NDArray[Any]], theirs: NDArray[Any]) -> None:
    """Stop when the two sides do not compute the same."""
    (value,) = ours.values()
    difference = float(np.abs(value - theirs).max() / np.abs(theirs).max())
    if difference > 1e-4:
        sys.exit(f"{name}: the outputs differ by {difference:.1e}, there is nothing to time")


def row(name: str, side: str, timing: Timing, ours: Timing) -> dict[str, Any]:
    """What is reported of one side; times in milliseconds."""
    middle, low, high = ratios(ours, timing)
    return {
        "net": name,
        "batch": timing.batch,
        "side": side,
        "median_ms": timing.median * 1e3,
        "quartiles_ms": [q * 1e3 for q in timing.quartiles],
        "per_second": timing.per_second,
        "ratio": middle,
        "ratio_quartiles": [low, high],
        "rounds": len(timing.seconds),
    }


def limit(found: dict[str, Any]) -> float:
    """The largest ratio that is good enough."""
    side = found["side"]
    return LIMITS_OF_NET.get((found["net"], side), LIMITS.get(side, np.inf))


def cells(found: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table."""
    low, high = found["quartiles_ms"]
    first, third = found["ratio_quartiles"]
    share = "" if found["side"] == "ours" else f"{found['ratio']:.3f} ({first:.3f}–{third:.3f})"
    return (
        found["net"],
        str(found["batch"]),
        found["side"],
        f"{significant(found['median_ms'])} ms",
        f"{significant(low)}–{significant(high)}",
        significant(found["per_second"]),
        share,
    )


if __name__ == "__main__":
    sys.exit(main())
