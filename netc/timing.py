"""The whole of `netc bench`: what is timed, where, and how the result is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from compiler.initialise import initialise
from compiler.onnx.precision import WORDS
from compiler.options import CompileOptions
from netc.errors import say
from netc.models import is_onnx
from netc.net import Net
from netc.options import NetChoice
from netc.tables import print_rows
from runtime.bench import Ready, Run, Timing, make_ready, ratios, significant, time_together
from runtime.describe import describe, input_shapes
from runtime.devices import Device, parse_device
from runtime.errors import CallError
from runtime.machine import driver, processor
from runtime.placement import rendered
from runtime.probe import Probe, probe
from runtime.providers import VERSION, devices_here
from runtime.random_inputs import random_feeds, random_input
from runtime.reference import run_reference
from runtime.session import Model
from runtime.settings import Settings
from runtime.weights.rename import WeightsFile

COLUMNS = (
    *("model", "precision", "batch ", "median ", "quartiles ", "samples/s ", "placement"),
    "first / this (quartiles) ",
)


@dataclass(frozen=True)
class BenchOptions:
    """What a call of `netc bench` asks for, besides the file and its net."""

    batches: tuple[int, ...] = (1,)
    against: Path | None = None
    device: str = "auto"
    devices: str | None = None
    dtype: str = "f32"
    tf32: bool = False
    threads: int = 0
    placement: bool = False
    size: int = 224
    seconds: float = 3.0
    form: str = "text"
    seed: int = 0
    weights: WeightsFile | None = None

    @property
    def settings(self) -> Settings:
        """How ONNX Runtime is asked for a model."""
        return Settings(exact=not self.tf32, threads=self.threads)


@dataclass(frozen=True)
class Contender:
    """What is timed where: its name, the model (or, for NumPy, the net), its precision."""

    name: str
    model: Model | None
    net: Net | None
    precision: str
    device: Device

    def arrays(self, batch: int, options: BenchOptions) -> list[NDArray[Any]]:
        """Random inputs for a batch."""
        if self.net is not None:
            return list(random_feeds(self.net.graph, options.seed, batch).values())
        assert self.model is not None
        shapes = input_shapes(describe(self.model).inputs, batch, options.size)
        return [random_input(name, shape, seed=options.seed) for name, shape in shapes.items()]


def report(file: str, options: BenchOptions, choice: NetChoice) -> None:
    """Time a definition or model, against another one if asked to, and print what came out."""
    contenders = contenders_of(file, options, choice)
    rows: list[dict[str, Any]] = []
    for batch in options.batches:
        rows += timed(contenders, batch, options)
    head = about(rows, contenders)
    if options.form == "json":
        say(json.dumps(head | {"results": rows}, indent=2))
        return
    say(heading(head))
    for note in dict.fromkeys(row["note"] for row in rows if row["note"]):
        say(f"note: {note}")
    if options.placement:
        show_placement(rows[: len(contenders)])
    several = len({row["device"] for row in rows}) > 1
    columns = ("device" if several else "model", *COLUMNS[1:])
    print_rows(columns, (cells(row, "device" if several else "model") for row in rows))


def contenders_of(file: str, options: BenchOptions, choice: NetChoice) -> list[Contender]:
    """All that is timed in the same rounds: one or two models, or one on several devices."""
    if options.devices is not None:
        if options.against is not None or options.device != "auto":
            raise CallError("--devices times one model on each: no --against, no --device")
        devices = working_devices() if options.devices == "all" else listed(options.devices)
        return list(on_each(contender_of(file, options, choice, Device("cpu")), devices))
    device = parse_device(options.device)
    contenders = [contender_of(file, options, choice, device)]
    if options.against is not None:
        if device.kind == "numpy":
            raise CallError("the NumPy device runs definitions, not ONNX models")
        contenders.append(from_file(options.against, device))
    return contenders


def on_each(contender: Contender, devices: Sequence[Device]) -> Iterator[Contender]:
    """The same on several devices."""
    for device in devices:
        if device.kind != "numpy":
            yield replace(contender, device=device)
        elif contender.net is None or contender.precision != "f32":
            raise CallError("the NumPy device runs definitions, in float32")
        else:
            yield replace(contender, device=device, model=None)


def working_devices() -> list[Device]:
    """The devices of this machine that work; of the others, why they do not is told."""
    working = []
    for device in devices_here():
        tried = Probe(True) if device.kind == "cpu" else probe(device)
        if tried.ok:
            working.append(device)
        else:
            say(f"note: {device} is left out: {tried.reason}", err=True)
    return working


def listed(text: str) -> list[Device]:
    """The devices of `cpu,openvino`."""
    return [parse_device(name.strip()) for name in text.split(",")]


def contender_of(file: str, options: BenchOptions, choice: NetChoice, device: Device) -> Contender:
    """The first model of a call."""
    if is_onnx(file):
        choice.refuse(options.weights)
        if options.dtype != "f32":
            raise CallError("an ONNX file has its precision inside: no --dtype")
        if device.kind == "numpy":
            raise CallError("the NumPy device runs definitions, not ONNX models")
        return from_file(Path(file), device)
    net = choice.single(file, options.weights)
    if device.kind == "numpy":
        if options.dtype != "f32":
            raise CallError("the NumPy device computes in float32: no --dtype")
        return Contender(net.name, None, net, "f32", device)
    model = net.model_of(CompileOptions(options.seed, dtype=options.dtype))
    return Contender(net.name, model, net, options.dtype, device)


def from_file(path: Path, device: Device) -> Contender:
    """A model in an ONNX file."""
    return Contender(path.name, path, None, describe(path).precision, device)


def timed(
    contenders: Sequence[Contender], batch: int, options: BenchOptions
) -> list[dict[str, Any]]:
    """One batch size: a row for each contender."""
    arrays = contenders[0].arrays(batch, options)
    ready: dict[str, Ready | None] = {}
    runs: dict[str, Run] = {}
    for place, contender in enumerate(contenders):
        key = f"{place} {contender.name}"
        if contender.model is None:
            ready[key], runs[key] = None, numpy_run(contender, arrays, options.seed)
        else:
            made = make_ready(contender.model, arrays, contender.device, options.settings)
            ready[key], runs[key] = made, made.run
    times = time_together(runs, batch, options.seconds)
    first = next(iter(times.values()))
    return [
        row(contender, times[key], ready[key], None if place == 0 else first)
        for place, (key, contender) in enumerate(zip(times, contenders, strict=True))
    ]


def numpy_run(contender: Contender, arrays: list[NDArray[Any]], seed: int) -> Run:
    """A run of the interpreter."""
    assert contender.net is not None
    graph = initialise(contender.net.graph, seed)
    feeds = dict(zip((node.name for node in graph.inputs()), arrays, strict=True))
    return lambda: run_reference(graph, feeds)


def row(
    contender: Contender, timing: Timing, ready: Ready | None, ours: Timing | None
) -> dict[str, Any]:
    """What is reported of one contender at one batch size; times in milliseconds."""
    placed = ready.session.placement() if ready is not None else None
    low, high = timing.quartiles
    found = {
        "model": contender.name,
        "batch": timing.batch,
        "rounds": len(timing.seconds),
        "median_ms": timing.median * 1e3,
        "quartiles_ms": [low * 1e3, high * 1e3],
        "per_second": timing.per_second,
        "device": ready.session.device if ready is not None else "numpy",
        "dtype": contender.precision,
        "cuda_graph": ready is not None and ready.captured,
        "note": ready.session.note if ready is not None else "",
        "placement": {
            provider: dict(nodes) for provider, nodes in (placed.nodes.items() if placed else ())
        },
    }
    if ours is not None:
        middle, low, high = ratios(ours, timing)
        found["first_over_this"] = {"median": middle, "quartiles": [low, high]}
    return found


def about(rows: Sequence[dict[str, Any]], contenders: Sequence[Contender]) -> dict[str, Any]:
    """Where it was measured."""
    cpu = processor()
    devices = [parse_device(row["device"]) for row in rows]
    hardware = [f"{cpu.name}, {cpu.cores} cores"] if not all(d.on_gpu for d in devices) else []
    hardware += [driver().gpus[d.index].name for d in devices if d.on_gpu]
    return {
        "device": ", ".join(dict.fromkeys(map(str, devices))),
        "hardware": ", ".join(dict.fromkeys(hardware)),
        "onnxruntime": VERSION,
        "models": [c.name for c in contenders if c.device == contenders[0].device],
    }


def heading(head: dict[str, Any]) -> str:
    """The line above the table."""
    return (
        f"{' against '.join(head['models'])} on {head['device']} ({head['hardware']}), "
        f"ONNX Runtime {head['onnxruntime']}"
    )


def show_placement(rows: Sequence[dict[str, Any]]) -> None:
    """For each model and provider the operators with their counts."""
    for found in rows:
        for provider, nodes in found["placement"].items():
            name = f"{found['model']} on {found['device']}"
            say(f"{name}: {rendered(provider, list(nodes.values()))}")


def cells(found: dict[str, Any], first: str) -> tuple[str, ...]:
    """A row of the table; `first` is what it begins with, the model or the device."""
    low, high = found["quartiles_ms"]
    ratio = found.get("first_over_this")
    share = ""
    if ratio is not None:
        share = f"{ratio['median']:.3f} ({ratio['quartiles'][0]:.3f}–{ratio['quartiles'][1]:.3f})"
    providers = {name: len(nodes) for name, nodes in found["placement"].items()}
    where = ", ".join(f"{n} {p.removesuffix('ExecutionProvider')}" for p, n in providers.items())
    return (
        found[first],
        WORDS.get(found["dtype"], found["dtype"]),
        str(found["batch"]),
        f"{significant(found['median_ms'])} ms",
        f"{significant(low)}–{significant(high)}",
        significant(found["per_second"]),
        where + (", CUDA graph" if found["cuda_graph"] else ""),
        share,
    )
