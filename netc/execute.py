"""`netc run`, its stages in order: what is run ▸ its inputs ▸ batches ▸ results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from netc.destination import destination
from netc.errors import say
from netc.gather import gather
from netc.models import is_onnx
from netc.options import NetChoice
from netc.results import report
from netc.runnable import Engine, Runnable, runnable_of_graph, runnable_of_model
from netc.top_classes import Ranking
from runtime.batches import Batch, run_batches
from runtime.errors import CallError
from runtime.files import refuse_inputs
from runtime.inputs import Sample
from runtime.machine import NO_DRIVER
from runtime.pictures import Augment
from runtime.valid_sizes import check_sizes
from runtime.weights.rename import WeightsFile

BATCH = 8  # samples at a time, where neither the call nor the model says how many


@dataclass(frozen=True)
class RunOptions:
    """What a call of `netc run` asks for, besides the file and its net."""

    images: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    random: bool = False
    samples: int | None = None
    device: str = "auto"
    dtype: str = "f32"
    tf32: bool = False
    placement: bool = False
    seed: int = 0
    weights: WeightsFile | None = None
    batch_size: int | None = None
    tta: Augment = "none"
    top: int = 5
    out: Path | None = None
    form: str | None = None
    low_high: str = "0,1"


def execute(file: str, options: RunOptions, choice: NetChoice) -> None:
    """The whole of the `run` command."""
    where = destination(options.out, options.form, options.low_high)
    if options.samples is not None and not options.random:
        raise CallError("--samples is how many --random makes")
    runnable = find_runnable(file, options, choice)
    if where.path is not None:
        refuse_inputs([where.path], choice.files.seen)
    count = (options.samples or 1) if options.random else 0
    samples = gather(runnable, options.images, options.inputs, count, options.tta)
    say(what_runs(runnable), err=where.is_data)
    tell_note(runnable.runner.note)
    if options.placement:
        placed = runnable.runner.placement()
        none = [f"no placement: {runnable.runner.device} runs it all"]
        say("\n".join(placed.lines() if placed else none), err=where.is_data)
    batches = run(runnable, samples, options)
    report(batches, where, Ranking(runnable.labels, options.top), names_of(samples))
    if runnable.runner.note_now() != runnable.runner.note:
        tell_note(runnable.runner.note_now())


def what_runs(runnable: Runnable) -> str:
    """The network and its device; that nobody trained it, where nobody did."""
    rendered = f"{runnable.name} on {runnable.runner.device}"
    if runnable.seeded:
        rendered += " with initial weights, not trained ones (give --weights)"
    return rendered


def tell_note(note: str) -> None:
    """What is worth knowing of the device: no GPU in the machine is not."""
    if note not in ("", NO_DRIVER):
        say(f"note: {note}", err=True)


def find_runnable(
    file: str, options: RunOptions, choice: NetChoice, *, spin: bool = True
) -> Runnable:
    """The net of a definition or a compiled model, on its device; see `Engine` for `spin`."""
    engine = Engine(options.device, options.seed, options.dtype, exact=not options.tf32, spin=spin)
    if is_onnx(file):
        choice.refuse(options.weights)
        return runnable_of_model(Path(file), engine, choice.shapes)
    return runnable_of_graph(choice.single(file, options.weights).graph, engine)


def names_of(samples: dict[str, list[Sample]]) -> list[str]:
    """The names of the samples, after the first input."""
    return [sample.name for sample in next(iter(samples.values()))]


def run(
    runnable: Runnable, samples: dict[str, list[Sample]], options: RunOptions
) -> Iterator[Batch]:
    """The results, a batch at a time, with a progress bar where somebody looks at one."""
    size = options.batch_size or runnable.runner.pinned or BATCH
    batches = run_batches(
        runnable.runner,
        samples,
        size=size,
        augment=options.tta,
        check=partial(check_sizes, runnable.inputs, runnable.violated),
    )
    names = names_of(samples)
    return with_progress(batches, names) if len(names) > size else batches


def with_progress(batches: Iterator[Batch], names: Sequence[str]) -> Iterator[Batch]:
    """The same batches; on a terminal a bar on standard error counts the samples."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("samples", total=len(names))
        for batch in batches:
            progress.update(task, advance=len(batch.names))
            yield batch
