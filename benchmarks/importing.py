"""`netc import` of ResNet-50: what its proof by numbers costs beside the import itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Options, Row, Timing, in_turn, netc
from netc import load


def rows(options: Options) -> list[Row]:
    """The whole process with the proof takes at most twice as long as without."""
    with TemporaryDirectory() as folder:
        model, target = Path(folder) / "m.onnx", Path(folder) / "m.netdef"
        load("resnet50").compile(model)
        call = ("import", model, "-o", target, "--weights", Path(folder) / "m.safetensors")
        found = in_turn(
            {"proved": netc(*call), "unverified": netc(*call, "--unverified")}, options.runs
        )
    return [
        Row(
            "import resnet50, whole process",
            Timing("with its proof", found["proved"]),
            Timing("--unverified", found["unverified"]),
            bound=2,
        )
    ]
