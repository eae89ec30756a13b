"""One row of `benchmarks/gpu.py`, in a process of its own: its memory is nobody else's.

    python -m benchmarks.gpu_side time NET SIDE BATCH DEVICE SECONDS
    python -m benchmarks.gpu_side verify NET DTYPE DEVICE
    python -m benchmarks.gpu_side train NAME DEVICE SECONDS

prints one line of JSON.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import netc
from compiler.initialise import scatter
from compiler.training.layout import layout_of
from netc.training import load_training
from runtime.bench import Run, make_ready, time_together, warm_up
from runtime.devices import CPU, parse_device
from runtime.random_inputs import random_feeds
from runtime.session import open_session
from runtime.settings import Settings
from runtime.training.engine import DeviceEngine
from runtime.verify.compare import compare_all
from runtime.verify.options import VerifyOptions
from runtime.verify.step import RATE, random_step, verify_step

Array = NDArray[Any]


TRAININGS: dict[str, str | Path] = {
    "lenet5_digits": "digits",
    "small_digits": "digits",
    "digits_gan": Path(__file__).with_name("learning.netdef"),
    "fashion": Path(__file__).with_name("learning.netdef"),
}


@dataclass(frozen=True)
class Side:
    """A way to run a net: ours in a precision, or PyTorch's, compiled or not."""

    dtype: str
    exact: bool = True
    torch: str = ""


SIDES = {
    "ours f32": Side("f32"),
    "ours TF32": Side("f32", exact=False),
    "ours f16": Side("f16"),
    "ours bf16": Side("bf16"),
    "PyTorch eager f16 channels-last": Side("f16", torch="eager"),
    "torch.compile f16 channels-last": Side("f16", torch="compile"),
}


def main() -> None:
    """Do what the arguments say."""
    kind, net, *rest = sys.argv[1:]
    kinds: dict[str, Callable[..., dict[str, Any]]] = {
        "time": time_side,
        "verify": verify,
        "train": train,
    }
    print(json.dumps(kinds[kind](net, *rest)))


def time_side(name: str, side: str, batch: str, device: str, seconds: str) -> dict[str, Any]:
    """Latency, throughput, peak memory and the error against float32 on the CPU."""
    net = netc.load(name, name)
    net = net.with_graph(scatter(net.graph))
    feeds = random_feeds(net.graph, batch=int(batch))
    with watched_memory() as peak:
        open_side = torch_side if SIDES[side].torch else our_side
        run, result, how = open_side(net, feeds, SIDES[side], device)
        warm_up(run)
    (timing,) = time_together({side: run}, int(batch), float(seconds)).values()
    ours = result().astype(np.float64)
    (wanted,) = open_session(net.model(), "cpu").run(feeds).values()
    return {
        "ok": True,
        "median_ms": timing.median * 1e3,
        "quartiles_ms": [q * 1e3 for q in timing.quartiles],
        "per_second": timing.per_second,
        "peak_bytes": peak(),
        "relative_error": float(np.abs(ours - wanted).max() / np.abs(wanted).max()),
        "how": how,
    }


def our_side(
    net: netc.Net, feeds: dict[str, Array], side: Side, device: str
) -> tuple[Run, Callable[[], Array], str]:
    """ONNX Runtime with everything bound; float16 also outside, as PyTorch has it."""
    model = net.model(dtype=side.dtype, io_dtype="f16" if side.dtype == "f16" else "f32")
    settings = Settings(exact=side.exact)
    ready = make_ready(model, list(feeds.values()), parse_device(device), settings)
    how = f"{ready.session.placement()}" + (", CUDA graph" if ready.captured else "")
    return ready.run, lambda: ready.bound.outputs()[0], how


def torch_side(
    net: netc.Net, feeds: dict[str, Array], side: Side, device: str
) -> tuple[Run, Callable[[], Array], str]:
    """The same net and weights in PyTorch, float16, channels-last."""
    import torch

    from benchmarks.torch_nets import NETS

    kind, shape = NETS[net.name]
    module = kind().eval()
    state = {name: torch.from_numpy(np.array(value)) for name, value in net.graph.values.items()}
    missing, unexpected = module.load_state_dict(state, strict=False)
    assert not unexpected and all("num_batches_tracked" in name for name in missing), missing
    layout = torch.channels_last if len(shape) == 3 else torch.contiguous_format
    module = module.to(device, torch.float16).to(memory_format=torch.channels_last)
    (array,) = feeds.values()
    given = torch.from_numpy(array).to(device, torch.float16).to(memory_format=layout)
    called = torch.compile(module, mode="max-autotune") if side.torch == "compile" else module
    on_gpu = device.startswith("cuda")

    def run() -> Any:
        with torch.inference_mode():
            made = called(given)
        if on_gpu:
            torch.cuda.synchronize()
        return made

    return run, lambda: run().float().cpu().numpy(), f"PyTorch {torch.__version__}"


def verify(name: str, dtype: str, device: str) -> dict[str, Any]:
    """NumPy in float64 against the device at every layer."""
    graph = scatter(netc.load(name, name).graph)
    found = compare_all(
        graph, random_feeds(graph, batch=1), VerifyOptions(device=device, dtype=dtype)
    )
    return {
        "ok": found.ok,
        "layers": found.nodes,
        "relative": found.relative,
        "worst": found.worst,
        "where": found.worst_node,
    }


def train(name: str, device: str, seconds: str) -> dict[str, Any]:
    """The steps of a training: their time, their nodes on the CPU, and NumPy against them.

    It fails where they differ, and on a GPU where a node is on the CPU.
    """
    training = load_training(name, TRAININGS[name]).plan
    layouts = tuple(map(layout_of, training.steps))
    feeds: dict[str, Array] = {}
    for plan in training.steps:
        feeds |= random_step(training, plan, batch=training.batch)
    arrays = {n: feeds[n] for layout in layouts for n in (*layout.arrays, *layout.states)}
    engine = DeviceEngine(training, layouts, arrays, device)
    counts = itertools.count(2)

    def run() -> None:
        count = next(counts)
        for index, layout in enumerate(layouts):
            batch = {n: feeds[n] for n in (*layout.batch, *layout.masks)}
            engine.step(index, batch, [RATE] * len(layout.rates), count)

    warm_up(run)
    (timing,) = time_together({name: run}, training.batch, float(seconds)).values()
    placed = [place for place in engine.placements() if place is not None]
    on_cpu = sum(place.counts.get(CPU, 0) for place in placed)
    options = VerifyOptions(device=device)
    found = [verify_step(training, plan, options) for plan in training.steps]
    on_gpu = parse_device(device).on_gpu
    return {
        "ok": all(each.ok for each in found) and not (on_gpu and (on_cpu or not placed)),
        "batch": training.batch,
        "median_ms": timing.median * 1e3,
        "per_second": timing.per_second,
        "on_cpu": on_cpu if placed else None,
        "relative": max(each.relative for each in found),
        "worst": max(each.worst for each in found),
    }


@contextmanager
def watched_memory() -> Iterator[Callable[[], int | None]]:
    """The highest use of GPU memory inside the block above that before it; None without NVML."""
    before = used_memory()
    highest = [before or 0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            highest[0] = max(highest[0], used_memory() or 0)

    thread = threading.Thread(target=watch, daemon=True)
    if before is not None:
        thread.start()
    yield lambda: None if before is None else highest[0] - before
    done.set()
    if before is not None:
        thread.join()


def used_memory(index: int = 0) -> int | None:
    """The bytes in use on a GPU by everybody."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    handle, numbers = ctypes.c_void_p(), (ctypes.c_ulonglong * 3)()  # total, free, used
    if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
        return None
    nvml.nvmlDeviceGetMemoryInfo(handle, numbers)
    return int(numbers[2])


if __name__ == "__main__":
    main()
