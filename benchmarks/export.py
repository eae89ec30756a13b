"""Writing ResNet-50 as ONNX with initial weights, against torch's two exporters."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Options, Row, Timing, clocked, in_turn, lacks, netc, process
from netc import load

SCRIPT = ("-m", "benchmarks.torch_resnet50")
EXPORTERS = {"torchscript": ("torch", "onnx"), "dynamo": ("torch", "onnx", "onnxscript")}


def rows(options: Options) -> list[Row]:
    """At least three times faster, as whole processes and without start-up."""
    with TemporaryDirectory() as folder:
        return [row for exporter in EXPORTERS for row in against(exporter, Path(folder), options)]


def against(exporter: str, folder: Path, options: Options) -> list[Row]:
    """One of torch's exporters, timed from outside and by itself."""
    missing = lacks(options.torch, EXPORTERS[exporter])
    if missing:
        return [Row(f"compile resnet50, {exporter}", skipped=missing)]
    inside: list[float] = []
    found = in_turn(
        {
            "ours": netc("compile", "resnet50", "-o", folder / "netc.onnx"),
            "theirs": exported(exporter, folder, options, inside),
            "ours inside": clocked(lambda: load("resnet50").compile(folder / "netc.onnx")),
        },
        options.runs,
    )
    theirs = f"torch.onnx.export, {exporter}"
    return [
        Row(
            "compile resnet50, whole process",
            Timing("netc compile", found["ours"]),
            Timing(theirs, found["theirs"]),
            bound=1 / 3,
        ),
        Row(
            "compile resnet50, imports apart",
            Timing("load, compile", found["ours inside"]),
            Timing(theirs, tuple(inside[1:])),
            bound=1 / 3,
        ),
    ]


def exported(
    exporter: str, folder: Path, options: Options, inside: list[float]
) -> Callable[[], float]:
    """The seconds of a whole process of torch; those of the export alone go to `inside`."""

    def timed() -> float:
        start = time.perf_counter()
        done = process(options.torch, *SCRIPT, exporter, folder / "torch.onnx")
        seconds = time.perf_counter() - start
        inside.append(json.loads(done.stdout.splitlines()[-1])["export"])
        return seconds

    return timed
