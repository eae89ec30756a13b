"""The whole of `netc quantize`: model ▸ samples ▸ int8 ▸ file ▸ what it lost."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import onnx

from netc.errors import say
from netc.gather import gather
from netc.models import is_onnx
from netc.options import NetChoice
from netc.runnable import Engine, Runnable, runnable_of_graph, runnable_of_model
from netc.tables import print_rows
from runtime.accuracy import Deviation
from runtime.batches import Arrays
from runtime.describe import describe
from runtime.errors import CallError
from runtime.files import place_of, refuse_inputs
from runtime.inputs import Sample
from runtime.models import weight_bytes, write_model
from runtime.quantize import QuantizationPlan, folded, loss, quantized
from runtime.valid_sizes import check_sizes
from runtime.weights.rename import WeightsFile

COLUMNS = ("tensor", "top-1 kept ", "signal to noise ", "relative error ")


@dataclass(frozen=True)
class QuantizeOptions:
    """What a call of `netc quantize` asks for, besides the file and its net."""

    calibrate: tuple[str, ...]
    output: Path | None = None
    method: str = "minmax"
    per_tensor: bool = False
    reduce_range: bool = False
    symmetric: bool = False
    exclude: tuple[str, ...] = ()
    limit: int | None = None
    per_layer: bool = False
    form: str = "text"
    seed: int = 0
    weights: WeightsFile | None = None

    @property
    def plan(self) -> QuantizationPlan:
        """How the quantizer is asked."""
        return QuantizationPlan(
            self.method, not self.per_tensor, self.reduce_range, self.symmetric, self.exclude
        )


def quantize(file: str, options: QuantizeOptions, choice: NetChoice) -> None:
    """Write the int8 model and report its loss on the calibration set."""
    runnable, model = find_model(file, options, choice)
    target = options.output or Path(f"{runnable.name}.int8.onnx")
    refuse_inputs([target], choice.files.seen)
    place_of(target)  # it would be a pity to learn it after the calibration
    samples = gather(runnable, (), options.calibrate, random=False)
    counts = {len(given) for given in samples.values()}
    if len(counts) > 1:
        raise CallError("every input needs the same number of samples to calibrate on")
    count = min(counts.pop(), options.limit or 10**9)
    read = partial(sample, runnable, samples)
    result = quantized(model, count, read, options.plan)
    write_model(result, target)
    lost = loss(model, result, map(read, range(count)), layers=options.per_layer)
    outputs = [info.name for info in model.graph.output]
    report = {
        "net": runnable.name,
        "file": str(target),
        "bytes": weight_bytes(result),
        "float32_bytes": weight_bytes(model),
        "samples": count,
        "seeded": runnable.seeded,
        "outputs": [row(name, lost[name]) for name in outputs],
        "layers": [row(n, a) for n, a in lost.items()] if options.per_layer else [],
    }
    if options.form == "json":
        say(json.dumps(report, indent=2))
    else:
        tell(report)


def find_model(
    file: str, options: QuantizeOptions, choice: NetChoice
) -> tuple[Runnable, onnx.ModelProto]:
    """What is quantized: what its inputs take, and its float32 model."""
    engine = Engine("cpu", options.seed)
    if not is_onnx(file):
        net = choice.single(file, options.weights)
        return runnable_of_graph(net.graph, engine), net.model(seed=options.seed)
    choice.refuse(options.weights)
    runnable = runnable_of_model(Path(file), engine)
    precision = describe(Path(file)).precision
    if precision != "f32":
        raise CallError(f"{file} is {precision} already: quantize the float32 model")
    return runnable, folded(Path(file))


def sample(runnable: Runnable, samples: Mapping[str, Sequence[Sample]], index: int) -> Arrays:
    """One sample of every input, as a batch of one."""
    arrays = {name: given[index].read() for name, given in samples.items()}
    first = next(iter(samples.values()))
    check_sizes(runnable.inputs, runnable.violated, first[index].name, arrays)
    return arrays


def row(name: str, found: Deviation) -> dict[str, Any]:
    """What is reported of one tensor; JSON has no infinity, a perfect one has no noise at all."""
    return {
        "tensor": name,
        "top1": found.top1,
        "snr_db": found.snr if math.isfinite(found.snr) else None,
        "relative_error": found.relative if math.isfinite(found.relative) else None,
    }


def tell(report: Mapping[str, Any]) -> None:
    """The report in words and tables."""
    share = report["bytes"] / max(1, report["float32_bytes"])
    seeded = " (initial weights, not trained ones)" if report["seeded"] else ""
    say(
        f"{report['net']}{seeded}: int8 -> {report['file']}, {report['bytes']:,} bytes of weights, "
        f"{share:.0%} of float32's"
    )
    say(f"against float32 on the {report['samples']} samples that it was calibrated on:")
    print_rows(COLUMNS, cells(report["outputs"]))
    if report["layers"]:
        say("at every layer, in order:")
        print_rows(COLUMNS, cells(report["layers"]))


def cells(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Rows of the table."""
    for found in rows:
        top1, snr, relative = found["top1"], found["snr_db"], found["relative_error"]
        yield (
            found["tensor"],
            "" if top1 is None else f"{top1:.1%}",
            "no noise" if snr is None else f"{snr:.1f} dB",
            "" if relative is None else f"{relative:.2%}",
        )
