"""OpenVINO's plugin against ONNX Runtime's own CPU provider, and against OpenVINO itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import netc
from benchmarks.measure import Options, Row, Timing, clocked, in_turn
from runtime.devices import OPENVINO
from runtime.plugins import PLUGINS
from runtime.session import open_session

RUNS_OF_A_TURN = 5
BOUNDS = {"f32": 1.0, "bf16": 0.5}  # of the CPU provider's time in float32; bf16 needs AMX
BESIDE = 1.1  # of the time of OpenVINO's own interface


def rows(options: Options) -> Iterator[Row]:
    """ResNet-50 by the plugin in both precisions, and the same file opened by OpenVINO itself."""
    if not PLUGINS[OPENVINO].is_here:
        yield Row("engines", skipped=f"no {PLUGINS[OPENVINO].package}")
        return
    net = netc.load("resnet50")
    picture = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    feeds = {"image": picture}
    sides: dict[str, Any] = {"cpu": partial(net.session(device="cpu").run, feeds)}
    for dtype in BOUNDS:
        sides[dtype] = partial(net.session(device="openvino", dtype=dtype).run, feeds)
    with TemporaryDirectory() as folder:
        sides |= itself(net.compile(Path(folder) / "net.onnx"), picture)
        clocks = {name: clocked(partial(repeated, side)) for name, side in sides.items()}
        found = in_turn(clocks, options.runs)
    for dtype, bound in BOUNDS.items():
        theirs = Timing("cpu, f32", found["cpu"])
        yield Row(f"openvino, {dtype}", Timing("the plugin", found[dtype]), theirs, bound)
    if "itself" in found:
        theirs = Timing("OpenVINO", found["itself"])
        yield Row("openvino, f32", Timing("the plugin", found["plugin"]), theirs, BESIDE)
    else:
        yield Row("openvino, f32", skipped="no openvino: pip install openvino")


def repeated(run: Any) -> None:
    """Several runs, so that a clock can tell."""
    for _ in range(RUNS_OF_A_TURN):
        run()


def itself(model: Path, picture: np.ndarray) -> dict[str, Any]:
    """A run by OpenVINO's own interface and one by the plugin, both of this file in float32."""
    if find_spec("openvino") is None:
        return {}
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    session = open_session(model, "openvino")
    return {
        "itself": partial(compiled, [picture]),
        "plugin": partial(session.run, {"image": picture}),
    }
