"""Requests from many clients at once against the bare session that answers them.

32 clients send 1,000 requests of one picture each, every one over a connection that it keeps; the
session runs as many pictures in batches of the server's size. Both have the same threads. The
clients stand on the same machine: what they take is in the time, not in the processor time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from importlib.util import find_spec
from threading import local
from urllib.request import urlopen

import numpy as np
import onnxruntime as ort

import netc
from benchmarks.measure import ROOT, Options, Row, Timing, clocked, in_turn

CLIENTS = 32
REQUESTS = 1000
BATCH = 8
BOUND = 1.25  # of the session's time, which is 0.8 of its throughput
SHAPES = {"resnet18": (3, 224, 224), "resnet20": (3, 32, 32)}


def rows(options: Options) -> Iterator[Row]:
    """The time for all requests, in multiples of the session's for as many pictures."""
    if find_spec("uvicorn") is None:
        yield Row("serving", skipped="no uvicorn: pip install '.[serve]'")
        return
    for name, shape in SHAPES.items():
        picture = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
        model = netc.load(name).model().SerializeToString()
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        feeds = {"image": np.repeat(picture, BATCH, axis=0)}
        with served(name) as port:
            expected = session.run(None, feeds)[0][0]
            sides = {
                "served": Side(
                    partial(answered, port, name, picture, expected), partial(processor_time, port)
                ),
                "bare": Side(partial(run_bare, session, feeds), time.process_time),
            }
            found = in_turn({side: each.run for side, each in sides.items()}, min(options.runs, 3))
        ours, bare = (Timing(f"{REQUESTS:,} {what}", found[side])
                      for side, what in (("served", "requests"), ("bare", "pictures")))  # fmt: skip
        yield Row(f"{name}, served", ours, bare, BOUND)
        ours, bare = (Timing("processor time", (*sides[side].took[1:],)) for side in sides)
        yield Row(f"{name}, served, processor time", ours, bare, BOUND)


@dataclass
class Side:
    """Something to be timed by the clock; `took` is its processor's time, run by run."""

    action: Callable[[], None]
    clock: Callable[[], float]
    took: list[float] = field(default_factory=list)

    def run(self) -> float:
        """The seconds of a run."""
        start = self.clock()
        seconds = clocked(self.action)()
        self.took.append(self.clock() - start)
        return seconds


def processor_time(port: int) -> float:
    """The seconds of the processor that a server has taken, as its metrics tell."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(rb"process_cpu_seconds_total ([\d.e+-]+)", answer.read())
    assert found is not None
    return float(found[1])


def run_bare(session: ort.InferenceSession, feeds: dict[str, np.ndarray]) -> None:
    """As many pictures as there are requests, without a server."""
    for _ in range(REQUESTS // BATCH):
        session.run(None, feeds)


@contextmanager
def served(name: str) -> Iterator[int]:
    """The port of a server of a net, in a process of its own."""
    call = [sys.executable, "-m", "netc", "serve", name, "--port", "0", "--device", "cpu"]
    call += ["--batch-size", str(BATCH), "--queue", str(REQUESTS)]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+)/v2/", process.stdout.readline())
        assert found is not None
        try:
            yield int(found[1])
        finally:
            process.terminate()


def answered(port: int, name: str, picture: np.ndarray, expected: np.ndarray) -> None:
    """Send all requests; each must be answered, and rightly."""
    size = {"parameters": {"binary_data_size": picture.nbytes}}
    tensor = {"name": "image", "shape": picture.shape, "datatype": "FP32", **size}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    body = head + picture.tobytes()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    kept = local()

    def ask(_: int) -> bytes:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        kept.connection.request("POST", f"/v2/models/{name}/infer", body, headers)
        answer = kept.connection.getresponse()
        content: bytes = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:200]!r}")
        return content[int(answer.headers["Inference-Header-Content-Length"]) :]

    with ThreadPoolExecutor(CLIENTS) as pool:
        for content in pool.map(ask, range(REQUESTS)):
            np.testing.assert_allclose(np.frombuffer(content, np.float32), expected, atol=1e-4)
