"""One net at one batch size, all sides in one process; run by the Python that has torch.

    python -m benchmarks.inference_side NET BATCH SECONDS [--busy]

prints one line of JSON: for each side the seconds of each round. Every side has the same random
weights, and their outputs are compared before anything is timed. ONNX Runtime gets the same session
settings for both files. `--busy` is for a machine that others use as well: one thread each, and the
processor time of this process instead of the clock on the wall.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import netc
from benchmarks.inference import EAGER, EXPORTED, INT8
from benchmarks.measure import THREADS
from benchmarks.torch_nets import NETS, scattered
from runtime.bench import Run, make_ready, time_together
from runtime.devices import Device
from runtime.quantize import QuantizationPlan, quantized
from runtime.random_inputs import random_input
from runtime.session import open_session
from runtime.settings import Settings

CALIBRATION = 8  # random samples: for speed any will do


@torch.inference_mode()
def main(name: str, batch: str, seconds: str, busy: bool) -> None:
    """Build all sides, compare them, time them."""
    kind, shape = NETS[name]
    threads = 1 if busy else THREADS
    torch.set_num_threads(threads)
    module = scattered(kind)
    array = random_input("image", (int(batch), *shape))
    given = torch.from_numpy(array)
    with tempfile.TemporaryDirectory() as folder:
        weights, exported = Path(folder) / "w.safetensors", Path(folder) / "exported.onnx"
        save_file(module.state_dict(), weights)
        net = netc.load(name, name).with_weights(weights)
        torch.onnx.export(module, (given,), exported, dynamo=True, verbose=False)
        model = net.model()
        check(name, open_session(model, "cpu").run({input_of(net): array}), module(given).numpy())
        device, settings = Device("cpu"), Settings(threads=threads)
        runs: dict[str, Run] = {
            "ours": make_ready(model, [array], device, settings).run,
            EXPORTED: make_ready(exported, [array], device, settings).run,
            EAGER: lambda: module(given),
            INT8: make_ready(int8(net, model, shape), [array], device, settings).run,
        }
    clock = time.process_time if busy else time.perf_counter
    times = time_together(runs, int(batch), float(seconds), clock)
    print(json.dumps({"seconds": {side: timing.seconds for side, timing in times.items()}}))


def input_of(net: netc.Net) -> str:
    """The name of the one input."""
    return net.graph.inputs()[0].name


def int8(net: netc.Net, model: Any, shape: tuple[int, ...]) -> Any:
    """The int8 model, calibrated on noise."""
    samples = [random_input("image", (1, *shape), seed=i) for i in range(CALIBRATION)]
    return quantized(
        model, CALIBRATION, lambda index: {input_of(net): samples[index]}, QuantizationPlan()
    )


def check(name: str, ours: dict[str, NDArray[Any]], theirs: NDArray[Any]) -> None:
    """Stop when the two sides do not compute the same."""
    (value,) = ours.values()
    difference = float(np.abs(value - theirs).max() / np.abs(theirs).max())
    if difference > 1e-4:
        sys.exit(f"{name}: the outputs differ by {difference:.1e}, there is nothing to time")


if __name__ == "__main__":
    main(*sys.argv[1:4], busy="--busy" in sys.argv)
