"""`netc train`: the parameters of nets learned from data."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler.onnx.precision import DTYPES
from grammar.diagnostics import printable
from netc.errors import say, show, write
from netc.library import parse_settings
from netc.options import DEVICE, FILE, FOLDER, INCLUDE, INPUT, PATTERN, SETTINGS, Command
from runtime.errors import CallError

if TYPE_CHECKING:
    from compiler.training.model import TrainingPlan
    from runtime.decode import PictureError
    from runtime.training.checkpoint import Row
    from runtime.training.loop import TrainingRun, Turn

SHOWN_EVERY = 0.2  # seconds between two changes of the line on a terminal


@click.command("train", cls=Command)
@FILE
@click.option("--train", "name", metavar="NAME", help="Which training, of a file with several.")
@click.option(
    "--data",
    type=INPUT,
    metavar="D",
    help="The samples: an .npz file, a folder of pictures by class, a .csv or .parquet list, idx "
    "files, CIFAR's binary batches.",
)
@click.option(
    "--val",
    type=INPUT,
    metavar="V",
    help="The held-out part, in any of these.",
)
@click.option(
    "--split",
    type=click.FloatRange(0, 1, max_open=True),
    help="Hold out this share of the data; by default a tenth where something is reported.",
)
@click.option(
    "--out",
    type=FOLDER,
    metavar="DIR",
    help="Where weights, state, log and pictures go.",
)
@click.option("--epochs", type=click.IntRange(1), help="In place of the training's own.")
@click.option("--batch-size", type=click.IntRange(1), help="In place of the training's own.")
@click.option("--lr", type=float, help="A rate in place of the training's own; a schedule's first.")
@click.option("--seed", default=0, show_default=True, help="Of weights, order, noise and masks.")
@DEVICE
@click.option(
    "--weights",
    type=PATTERN,
    multiple=True,
    metavar="[NET=]FILE",
    help="Begin with the parameters of a file, of one of several nets; may be repeated.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --out, bit for bit.")
@click.option("--dry-run", is_flag=True, help="Check data and memory by one step; write nothing.")
@click.option(
    "--checkpoint", is_flag=True, help="Work activations out twice instead of keeping them."
)
@click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="f32",
    show_default=True,
    help="What products are computed in, where the device has it; all else is in float32.",
)
@click.option("--max-steps", type=click.IntRange(1), metavar="N", help="End after N steps.")
@click.option(
    "--broken",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a picture that cannot be read.",
)
@SETTINGS
@INCLUDE
def command(
    file: str,
    name: str | None,
    data: Path | None,
    val: Path | None,
    split: float | None,
    out: Path | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    seed: int,
    device: str,
    weights: tuple[str, ...],
    resume: bool,
    dry_run: bool,
    checkpoint: bool,
    dtype: str,
    max_steps: int | None,
    broken: str,
    settings: tuple[str, ...],
    include: tuple[Path, ...],
) -> None:
    """Train a net as a `train` item says."""
    from compiler.files import Files
    from netc.training import Training, checked_training, require_training
    from runtime.training.loop import STATE

    if lr is not None and not 0 < lr < float("inf"):
        raise CallError("--lr is a number above 0")
    if out is None and not dry_run:
        raise CallError("say where the weights go: --out DIR (or --dry-run)")
    files = Files(include)
    checked = checked_training(file, name, parse_settings(settings), files)
    plan = require_training(checked)
    show(checked.diagnostics)
    if out is not None and not dry_run and os.path.lexists(out / STATE) and not resume:
        raise CallError(f"{out} holds a run already: --resume goes on with it, or name another")
    run = Training(plan, checked, files.seen).start(
        data,
        val=val,
        split=split,
        out=None if dry_run else out,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        device=device,
        weights=weights,
        resume=resume,
        max_steps=1 if dry_run else max_steps,
        checkpoint=checkpoint,
        dtype=dtype,
        broken=skipped if broken == "skip" else None,
    )
    training, held_out = run.training, run.held_out
    say(opening(training, run))
    for note in run.notes:
        say(f"note: {note}", err=True)
    with interruptible(run) as interrupted:
        follow(run)
    if dry_run:
        if held_out is not None:
            run.evaluate(held_out.part(held_out.rows[:0] if not len(held_out) else first(held_out)))
        say("one step went well; nothing was written")
        return
    close(run)
    if interrupted:
        assert out is not None
        say(f"stopped; --resume goes on from {out}", err=True)
        sys.exit(128 + interrupted[0])
    if run.progress.turn < run.turns_an_epoch * training.epochs:
        if training.expects:
            say("the training is not through: what it expects is not checked")
        return
    run.check_expects()


def first(samples: Any) -> Any:
    """The places of a first few samples."""
    import numpy as np

    return np.arange(min(len(samples), 8))


def skipped(error: PictureError) -> None:
    """A broken picture is named and left out."""
    say(f"left out: {error}", err=True)


def opening(training: TrainingPlan, run: TrainingRun) -> str:
    """What is about to be done, in a line."""
    learned = {p for plan in training.steps for u in plan.updates for p in u.parameters}
    count = sum(weight.size for name, weight in training.parameters() if name in learned)
    data = "noise only" if run.samples is None else f"{len(run.samples):,} samples"
    held = f", {len(run.held_out):,} held out" if run.held_out is not None else ""
    begun = f", {run.progress.turn:,} done" if run.progress.turn else ""
    return (
        f"{training.name}: {count:,} parameters learn from {data}{held}; batch {training.batch}, "
        f"{training.epochs} epochs of {run.turns_an_epoch:,} steps{begun}; on {run.engine.device}"
    )


@contextmanager
def interruptible(run: TrainingRun) -> Iterator[list[int]]:
    """Ctrl-C and a request to end let the step in progress be finished and saved."""
    caught: list[int] = []

    def stop(number: int, frame: Any) -> None:
        caught.append(number)
        run.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow(run: TrainingRun) -> None:
    """Do the turns, and say how they go: a line an epoch, on a terminal also within it."""
    terminal = sys.stdout.isatty()
    start, begun, shown = time.monotonic(), run.progress.turn, 0.0
    for turn in run:
        now = time.monotonic()
        speed = (turn.turn - begun) / max(now - start, 1e-9)
        left = (run.turns - turn.turn) / speed
        rate = speed * run.training.batch * run.ticks.draws_a_turn or speed * run.training.batch
        tail = f"{rate:,.0f} samples/s, {duration(left)} left"
        if turn.row is not None:
            clear = "\r\033[K" if terminal else ""
            write(f"{clear}{printable(epoch_line(run, turn.row))}, {tail}")
        elif terminal and now - shown > SHOWN_EVERY:
            shown = now
            click.echo(f"\r\033[K{printable(turn_line(run, turn))}, {tail}", nl=False)


def turn_line(run: TrainingRun, turn: Turn) -> str:
    """How the epoch goes so far."""
    values = "  ".join(f"{name} {value:.4g}" for name, value in turn.values.items())
    share = (turn.turn - 1) % run.turns_an_epoch + 1
    return f"epoch {turn.epoch}/{run.training.epochs}  {share}/{run.turns_an_epoch}  {values}"


def epoch_line(run: TrainingRun, row: Row) -> str:
    """What an epoch came to."""
    epochs = run.training.epochs
    skipped = ("epoch", "turn", "rate", "seconds")
    own = [(n, v) for n, v in row.items() if n not in skipped and not n.startswith("val_")]
    held = [(n.removeprefix("val_"), v) for n, v in row.items() if n.startswith("val_")]
    rendered = "  ".join(f"{name} {value:.4g}" for name, value in own)
    if held:
        rendered += "  held out: " + "  ".join(f"{name} {value:.4g}" for name, value in held)
    return (
        f"epoch {int(row['epoch']):{len(str(epochs))}}/{epochs}  {rendered}  rate {row['rate']:.3g}"
    )


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def close(run: TrainingRun) -> None:
    """Where everything is."""
    out, progress = run.choices.out, run.progress
    if progress.best is not None and run.best_by is not None:
        name = run.best_by[0]
        where = "held out" if run.held_out is not None else "in training"
        say(f"best: {name} {progress.best:.4f} ({where}) after epoch {progress.best_epoch}")
    files = sorted(path.name for path in out.iterdir()) if out is not None else []
    weights = [name for name in files if name.endswith(".safetensors") and "state" not in name]
    say(f"in {out}: {', '.join(weights)}")
