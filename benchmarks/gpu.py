"""Our nets on a GPU against PyTorch's, and every net of the library verified there.

    python -m benchmarks.gpu [--out FOLDER] [--nets a,b] [--batch 1,64] [--only PART]

The whole of what a GPU machine is asked, in one command: ONNX Runtime in float32, TF32, float16
and bfloat16 with bound inputs and outputs and a CUDA graph, PyTorch eager and `torch.compile` in
float16 channels-last, each in a process of its own with its peak of GPU memory; then NumPy against
CUDA at every layer of every net (`--dtypes f32,f16,bf16` in more than float32), and at every
derivative and update of some trainings' steps, of which no node may be left to the CPU. After each
step `gpu.json` and `gpu.md` are written anew, so that what was measured survives an end before the
last one. Needs PyTorch for its own rows only. Fails when a net differs or a row cannot be measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime as ort

from benchmarks.gpu_side import SIDES, TRAININGS
from netc.library import library_nets
from runtime.bench import significant
from runtime.devices import parse_device
from runtime.errors import MachineError
from runtime.files import write_whole
from runtime.machine import driver, processor
from runtime.providers import require

NETS = ("resnet50", "vgg_d", "googlenet", "dcgan_generator")
PATIENCE = 600  # seconds for one row; torch.compile takes minutes
TIMES = ("net", "batch", "side", "median ms", "quartiles", "samples/s", "peak MiB", "error", "how")
CHECKS = ("net", "precision", "layers", "relative", "of the tolerance", "where")

STEPS = (
    "training",
    "batch",
    "median ms",
    "samples/s",
    "nodes on CPU",
    "relative",
    "of the tolerance",
)

Row = dict[str, Any]


def main() -> int:
    """The exit code: 1 when something failed or differs, 3 when there is no such device."""
    parser = argparse.ArgumentParser(description="Time and verify our nets on a GPU.")
    parser.add_argument("--out", type=Path, default=Path("gpu-results"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--nets", default=",".join(NETS), help="to time")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--batch", default="1,64")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row")
    parser.add_argument("--verify", default=",".join(sorted(library_nets())), help="nets to verify")
    parser.add_argument("--dtypes", default="f32", help="to verify in")
    parser.add_argument("--jobs", type=int, default=4, help="nets verified at once")
    parser.add_argument("--only", choices=("timing", "verify", "training"))
    parser.add_argument("--trainings", default=",".join(TRAININGS), help="whose steps to take")
    given = parser.parse_args()
    device = parse_device(given.device)
    if device.on_gpu:
        try:
            require(device)
        except MachineError as error:
            print(f"error: {error}", file=sys.stderr)
            return 3
    given.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"machine": machine(), "timing": [], "verify": [], "training": []}
    parts = {"timing": timing_rows, "verify": verify_rows, "training": training_rows}
    for part, make in parts.items():
        rows = make(given)
        if given.only in (None, part):
            for row in rows:
                report[part].append(row)
                print(json.dumps(row), flush=True)
                write(report, given.out)
    failed = [row for part in parts for row in report[part] if not row.get("ok")]
    print(f"{len(failed)} failed; see {given.out / 'gpu.md'}")
    return 1 if failed else 0


def machine() -> Row:
    """What was measured on."""
    found, cpu = driver(), processor()
    return {
        "gpus": [gpu.name for gpu in found.gpus],
        "driver": str(found),
        "cpu": f"{cpu.name}, {cpu.cores} cores",
        "onnxruntime": ort.__version__,
        "cuda": getattr(ort, "cuda_version", ""),
    }


def timing_rows(given: argparse.Namespace) -> Iterator[Row]:
    """A row for each net, batch size and side, measured in a process of its own."""
    for net in given.nets.split(","):
        for batch in given.batch.split(","):
            for side in given.sides.split(","):
                call = ["time", net, side, batch, given.device, str(given.seconds)]
                yield {"net": net, "batch": int(batch), "side": side} | child(call)


def verify_rows(given: argparse.Namespace) -> Iterator[Row]:
    """A row for each net and precision."""
    tasks = [(n, d) for n in given.verify.split(",") if n for d in given.dtypes.split(",")]

    def verified(task: tuple[str, str]) -> Row:
        net, dtype = task
        return {"net": net, "dtype": dtype} | child(["verify", net, dtype, given.device])

    with ThreadPoolExecutor(given.jobs) as pool:
        yield from pool.map(verified, tasks)


def training_rows(given: argparse.Namespace) -> Iterator[Row]:
    """A row for each training."""
    for name in filter(None, given.trainings.split(",")):
        yield {"net": name} | child(["train", name, given.device, str(given.seconds)])


def child(arguments: list[str]) -> Row:
    """What `gpu_side.py` says of one row; a process that fails gives its last words."""
    call = [sys.executable, "-m", "benchmarks.gpu_side", *arguments]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return {"ok": False, "error": f"not done after {PATIENCE} s"}
    if done.returncode == 0:
        row: Row = json.loads(done.stdout.splitlines()[-1])
        return row
    return {"ok": False, "error": "\n".join(done.stderr.strip().splitlines()[-12:])}


def write(report: Mapping[str, Any], out: Path) -> None:
    """The report as JSON and as Markdown."""
    write_whole(out / "gpu.json", json.dumps(report, indent=2).encode())
    about = report["machine"]
    lines = [
        f"Measured on {', '.join(about['gpus']) or 'no GPU'} (driver {about['driver']}), "
        f"{about['cpu']}; ONNX Runtime {about['onnxruntime']} for CUDA {about['cuda']}.",
        *table(TIMES, report["timing"], timing_cells),
        *table(CHECKS, report["verify"], verify_cells),
        *table(STEPS, report["training"], training_cells),
    ]
    write_whole(out / "gpu.md", ("\n".join(lines) + "\n").encode())


def table(titles: tuple[str, ...], rows: list[Row], cells: Callable[[Row], list[str]]) -> list[str]:
    """A table in Markdown; a row that failed shows the last line of its error."""
    lines = ["", f"| {' | '.join(titles)} |", "| " + " | ".join("---" for _ in titles) + " |"]
    for row in rows:
        text = cells(row) if "error" not in row else [row["error"].splitlines()[-1]]
        name = [row["net"], str(row.get("batch", row.get("dtype"))), row.get("side", "")]
        lines.append(f"| {' | '.join([*filter(None, name), *text])} |")
    return lines if rows else []


def timing_cells(row: Row) -> list[str]:
    """What was measured of one side."""
    low, high = row["quartiles_ms"]
    return [
        significant(row["median_ms"]),
        f"{significant(low)}–{significant(high)}",
        significant(row["per_second"]),
        f"{row['peak_bytes'] / 2**20:,.0f}" if row["peak_bytes"] is not None else "?",
        f"{row['relative_error']:.1e}",
        row["how"],
    ]


def verify_cells(row: Row) -> list[str]:
    """What was found of one net."""
    found = [str(row["layers"]), f"{row['relative']:.1e}", f"{row['worst']:.1%}", row["where"]]
    return found if row["ok"] else [*found[:-1], f"DIFFERS at {row['where']}"]


def training_cells(row: Row) -> list[str]:
    """What was found of the steps of one training."""
    found = [significant(row["median_ms"]), significant(row["per_second"])]
    found.append("?" if row["on_cpu"] is None else str(row["on_cpu"]))
    return [*found, f"{row['relative']:.1e}", f"{row['worst']:.1%}" if row["ok"] else "FAILS"]


if __name__ == "__main__":
    sys.exit(main())
