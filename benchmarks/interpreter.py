"""The NumPy interpreter on one picture, against ONNX Runtime and onnx's own interpreter."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import onnxruntime as ort
from onnx.reference import ReferenceEvaluator

import netc
from benchmarks.measure import THREADS, Options, Row, Timing, clocked, in_turn
from compiler.driver import check_net, load
from compiler.initialise import initialise
from grammar.source import Source
from runtime.bench import REST
from runtime.random_inputs import random_feeds
from runtime.reference import run_reference

SETTLING, TIMED = 2, 3  # runs of a side that do not count, and that do, in each of its turns

# The thirteen depthwise-separable layers of MobileNet (Howard et al. 2017, table 1).
DEPTHWISE = """
block separable(c, stride=1) {
    conv(in.c, 3x3, stride=stride, pad=1, groups=in.c, bias=false) -> bn -> relu
    conv(c, 1x1, bias=false) -> bn -> relu
}
net mobilenet {
    input image: f32[3, 224, 224]
    conv(32, 3x3, stride=2, pad=1, bias=false) -> bn -> relu
    for c, stride in zip([64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024],
                         [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]) {
        separable(c, stride)
    }
    gap -> flatten -> dense(1000)
    output logits
}
"""


def rows(options: Options) -> list[Row]:
    """ResNet-50 at most twice ONNX Runtime's time, others three times; a sixth of onnx's own."""
    return [
        *compare("resnet50", netc.load("resnet50"), options, bound=2.0, reference=True),
        *compare("googlenet", netc.load("googlenet", "googlenet"), options, bound=3.0),
        *compare("vgg_d", netc.load("vgg_d"), options),
        *compare("mobilenet", defined(DEPTHWISE), options, bound=3.0),
    ]


def defined(text: str) -> netc.Net:
    """The net of a text."""
    (net,) = load(Source("benchmark.netdef", text)).nets()
    return netc.Net(check_net(net))


def compare(
    name: str,
    net: netc.Net,
    options: Options,
    *,
    bound: float | None = None,
    reference: bool = False,
) -> list[Row]:
    """One network, float32, one picture, the same number of threads."""
    graph = initialise(net.graph)
    feeds = random_feeds(graph, 0, batch=1)
    model = net.model()
    session = session_of(model.SerializeToString())
    actions = {
        "numpy": settled(lambda: run_reference(graph, feeds)),
        "ort": settled(lambda: session.run(None, feeds)),
    }
    if reference:
        evaluator = ReferenceEvaluator(model)
        actions["onnx"] = settled(lambda: evaluator.run(None, feeds))
    found = in_turn(actions, options.runs)
    ours = Timing("netc, NumPy", milliseconds(found["numpy"]), "ms")
    runtime = Timing("ONNX Runtime", milliseconds(found["ort"]), "ms")
    made = [Row(f"run {name}", ours, runtime, bound)]
    if reference:
        theirs = Timing("onnx ReferenceEvaluator", milliseconds(found["onnx"]), "ms")
        made.append(Row(f"run {name}", ours, theirs, 1 / 6))
    return made


def settled(action: Callable[[], Any]) -> Callable[[], float]:
    """The median seconds of an action when its like ran just before.

    For sides within one process: the threads that the other side left waiting, and the memory that
    it used, have nothing to do with what an action takes.
    """
    once = clocked(action)

    def timed() -> float:
        time.sleep(REST)
        return median([once() for _ in range(SETTLING + TIMED)][SETTLING:])

    return timed


def session_of(model: bytes) -> Any:
    """ONNX Runtime on the CPU."""
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = THREADS
    return ort.InferenceSession(model, settings, providers=["CPUExecutionProvider"])


def milliseconds(seconds: tuple[float, ...]) -> tuple[float, ...]:
    """Seconds in thousandths."""
    return tuple(1000 * s for s in seconds)
