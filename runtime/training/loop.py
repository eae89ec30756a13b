"""The loop: turns of steps, epochs, what is measured, written and resumed.

    for turn in run:                    # a Turn after each: epoch, loss, reports
        ...

A run writes into its folder after each epoch, and every few minutes within one: first what others
read (weights, log, pictures), last the state, so that whenever it is killed, the state that is
found makes the rest anew, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain import Facts
from compiler.evaluate import Evaluator
from compiler.initialise import initialise
from compiler.ops.losses import Accuracy, Loss
from compiler.training.layout import LOSS, StepLayout, layout_of
from compiler.training.model import TrainedNet, TrainingPlan
from compiler.training.schedules import Schedule, rate_at
from compiler.values import Scope
from grammar import syntax as s
from grammar.diagnostics import DefinitionError, Diagnostic
from runtime.devices import parse_device
from runtime.errors import CallError
from runtime.pictures import write_picture
from runtime.settings import Settings
from runtime.training.augment import evaluated
from runtime.training.batches import Feeder, Feeds, ticks_of
from runtime.training.checkpoint import (
    Progress,
    Row,
    check_arrays,
    check_same,
    load_state,
    save_state,
)
from runtime.training.engine import DeviceEngine, NumpyEngine, StepEngine, check_products
from runtime.training.fault import first_fault
from runtime.training.journal import write_curve, write_log
from runtime.training.notes import notes_of
from runtime.training.randomness import draw_noise, generator
from runtime.training.samples import Samples
from runtime.weights.saving import save_weights

NOISE_ONLY = 100  # turns of an epoch where there is no data to pass through
SAVE_EVERY = 300.0  # seconds between two states within an epoch
STATE, LOG, CURVE = "state.safetensors", "log.csv", "curve.svg"
WEIGHTS, BEST = "weights", "best"


@dataclass(frozen=True)
class Turn:
    """What one turn did: in which epoch, each step's loss and the reports, on its batches."""

    epoch: int
    turn: int
    values: Mapping[str, float]
    rate: float
    done: float  # epochs, with the fraction of this one
    row: Row | None = None  # the epoch's line of the log, after its last turn


@dataclass(frozen=True)
class Choices:
    """How a training is run: what a command line or a call may say.

    With `checkpoint` activations are worked out again in the backward pass instead of kept.
    `rate_given` says that the rate is not the text's own.
    """

    seed: int = 0
    device: str = "auto"
    out: Path | None = None
    max_steps: int | None = None
    settings: Settings | None = None
    checkpoint: bool = False
    rate_given: bool = False


class TrainingRun:
    """A training on its data; iterating it does the turns that are still to be done.

    `notes` are what a user should hear of before.
    """

    def __init__(
        self,
        training: TrainingPlan,
        samples: Samples | None,
        held_out: Samples | None = None,
        choices: Choices = Choices(),
        weights: Mapping[str, NDArray[Any]] | None = None,
        resume: bool = False,
    ) -> None:
        if training.data and samples is None:
            raise CallError(f"training {training.name} needs data")
        self.training = training
        self.samples = samples
        self.held_out = held_out
        self.choices = choices
        self.stopped = False
        self.layouts = tuple(map(layout_of, training.steps))
        self.ticks = ticks_of(training, self.layouts)
        self.feeder = Feeder(
            training, self.layouts, samples, training.batch, choices.seed, self.ticks
        )
        self.progress = Progress(
            training.name,
            choices.seed,
            training.batch,
            0 if samples is None else len(samples),
            training.epochs,
        )
        arrays = first_arrays(training, self.layouts, choices.seed, weights)
        out = choices.out
        if resume and out is not None and (out / STATE).is_file():
            found, stored = load_state(out / STATE)
            check_same(found, self.progress, out / STATE)
            check_arrays(stored, arrays, out / STATE)
            self.progress, arrays = replace(found, epochs=training.epochs), stored
        self.engine = engine_for(training, self.layouts, arrays, choices)
        self.notes = (
            *([self.engine.note] if self.engine.note else []),
            *notes_of(training, samples, self.turns_an_epoch * training.epochs, choices.rate_given),
        )
        self.best_by = best_by(training)
        self._saved = time.monotonic()

    # ── how long it takes ────────────────────────────────────────────────────────────────────

    @property
    def turns_an_epoch(self) -> int:
        """How many turns pass through the data once."""
        if self.samples is None or not self.ticks.draws_a_turn:
            return NOISE_ONLY
        return math.ceil(len(self.samples) / (self.training.batch * self.ticks.draws_a_turn))

    @property
    def turns(self) -> int:
        """How many turns there are in all."""
        whole = self.turns_an_epoch * self.training.epochs
        most = self.choices.max_steps
        return whole if most is None else min(whole, most)

    @property
    def averages(self) -> dict[str, str]:
        """For each parameter with a moving average the name of that."""
        return {
            state.parameter: name
            for layout in self.layouts
            for name, state in layout.states.items()
            if name.endswith("/average")
        }

    # ── turns ────────────────────────────────────────────────────────────────────────────────

    def __iter__(self) -> Iterator[Turn]:
        """Do the turns that are still to be done; `stop()` ends after the one in progress."""
        ahead = self.feeder.ahead(self.progress.turn * len(self.ticks))
        try:
            while self.progress.turn < self.turns and not self.stopped:
                yield self.turn(ahead)
        finally:
            ahead.close()  # type: ignore[attr-defined]
        if self.progress.counted or self.stopped:
            self.save()

    def stop(self) -> None:
        """End after the turn in progress, with everything saved."""
        self.stopped = True

    def turn(self, ahead: Iterator[Feeds]) -> Turn:
        """Each step once (as often as it is repeated), and after the last of an epoch its end."""
        start = time.monotonic()
        progress, count = self.progress, self.turns_an_epoch
        epochs_done = progress.turn / count
        values: dict[str, list[float]] = {}
        rate = 0.0
        updates = dict.fromkeys(range(len(self.layouts)), 0)
        for step, apply in zip(self.ticks.order, self.ticks.applies, strict=True):
            feeds = next(ahead)
            rates = self.rates(step, epochs_done)
            rate = rates[0] if not values else rate
            number = progress.turn * self.training.order.count(step) + updates[step] + 1
            updates[step] += apply
            made = self.engine.step(step, feeds, rates, number, apply)
            self.check(step, feeds, made)
            plan = self.training.steps[step]
            values.setdefault(plan.objective, []).append(made[LOSS])
            for name in plan.reports:
                values.setdefault(name, []).append(made[name])
        means = {name: math.fsum(found) / len(found) for name, found in values.items()}
        progress.turn += 1
        progress.counted += 1
        for name, value in means.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        progress.seconds += time.monotonic() - start
        epoch = (progress.turn - 1) // count + 1
        row = None
        if progress.turn % count == 0:
            row = self.end_epoch(epoch, rate)
        elif time.monotonic() - self._saved > SAVE_EVERY:
            self.save()
        return Turn(epoch, progress.turn, means, rate, progress.turn / count, row)

    def rates(self, step: int, epoch: float) -> list[float]:
        """The rate of each update of a step."""
        history = self.history()
        return [
            rate_at(update.optimiser.rate, epoch, self.training.epochs, history)  # type: ignore[attr-defined]
            for update in self.training.steps[step].updates
        ]

    def history(self) -> list[float]:
        """What was measured after each epoch, the smaller the better, for `plateau`."""
        name, larger = self.best_by or (self.training.steps[0].objective, False)
        rows = self.progress.rows
        found = [row.get(f"val_{name}", row.get(name, math.nan)) for row in rows]
        return [-value if larger else value for value in found]

    def check(self, step: int, feeds: Feeds, made: Mapping[str, float]) -> None:
        """Raise `DefinitionError` (V201) for a loss that is no number, with the layer at fault."""
        if math.isfinite(made[LOSS]):
            return
        turn = self.progress.turn + 1
        epoch = self.progress.turn // self.turns_an_epoch + 1
        plan, layout = self.training.steps[step], self.layouts[step]
        fault = first_fault(layout.graph, feeds, self.engine.arrays(before=True))
        where = f"at step {turn:,}, in epoch {epoch}"
        if fault is None:
            raise DefinitionError(
                [Diagnostic.of("V201", f"the loss is no number {where}", plan.span)]
            )
        rate = self.rates(step, self.progress.turn / self.turns_an_epoch)
        raise DefinitionError(
            [
                Diagnostic.of(
                    "V201",
                    f"the loss is {made[LOSS]:g} {where}",
                    fault.node.span,
                    label=fault.label,
                    notes=(fault.text, f"rate {rate[0]:g}"),
                    help="a smaller rate, or clip=1 in the optimiser, keeps numbers in range"
                    if self.progress.turn or step
                    else "no parameter has moved yet: it is what this layer is given",
                    call_stack=fault.node.call_stack,
                )
            ]
        )

    # ── epochs ───────────────────────────────────────────────────────────────────────────────

    def end_epoch(self, epoch: int, rate: float) -> Row:
        """Measure, keep what is best, write everything down."""
        progress = self.progress
        row: Row = {"epoch": epoch, "turn": progress.turn, "rate": rate}
        row |= {name: total / progress.counted for name, total in progress.sums.items()}
        if self.held_out is not None:
            row |= {f"val_{name}": value for name, value in self.evaluate(self.held_out).items()}
        row["seconds"] = round(progress.seconds, 3)
        progress.rows.append(row)
        progress.sums, progress.counted = {}, 0
        better = self.is_better(row)
        if self.choices.out is not None:
            if better:
                self.write_weights(BEST)
            self.write_shows(epoch)
            write_log(self.choices.out / LOG, progress.rows)
            write_curve(self.choices.out / CURVE, progress.rows, self.training.name)
            self.save()
        return row

    def is_better(self, row: Row) -> bool:
        """Whether this epoch is the best so far, which it then is."""
        if self.best_by is None:
            return False
        name, larger = self.best_by
        value = row.get(f"val_{name}", row.get(name, math.nan))
        best = self.progress.best
        if best is None or (value > best if larger else value < best):
            self.progress.best, self.progress.best_epoch = value, int(row["epoch"])
            return True
        return False

    def evaluate(self, samples: Samples) -> dict[str, float]:
        """The mean of each objective and report, every layer as after training."""
        graph, batch = self.training.evaluation, self.training.batch
        inputs = {node.name for node in graph.inputs()}
        totals = dict.fromkeys(graph.outputs, 0.0)
        for start in range(0, len(samples), batch):
            places = np.arange(start, min(start + batch, len(samples)))
            feeds = evaluated(self.training, samples.take(places))
            for noise in self.training.noises:
                feeds[noise.name] = draw_noise(noise, self.choices.seed, -1 - start, len(places))
            made = self.engine.measure(
                graph, {n: a for n, a in feeds.items() if n in inputs}, self.averages
            )
            for name, values in made.items():
                totals[name] += float(values.astype(np.float64).sum())
        return {name: total / len(samples) for name, total in totals.items()}

    # ── files ────────────────────────────────────────────────────────────────────────────────

    def weights(self) -> dict[str, dict[str, NDArray[Any]]]:
        """The parameters of each net that learns, by the net's own names."""
        arrays, averages = self.engine.arrays(), self.averages
        found = {}
        for net in learning_nets(self.training):
            full = {name: f"{net.prefix}.{name}" for name in net.graph.parameters()}
            found[net.prefix] = {n: arrays[averages.get(f, f)] for n, f in full.items()}
        return found

    def write_weights(self, word: str) -> None:
        """Write `weights.safetensors`, or one file a net where several learn."""
        assert self.choices.out is not None
        nets = self.weights()
        for prefix, name in weights_names(word, nets):
            save_weights(self.choices.out / name, nets[prefix])

    def write_shows(self, epoch: int) -> None:
        """Draw what is to be shown, of the same draw after each epoch."""
        assert self.choices.out is not None
        for show in self.training.shows:
            count = show.rows * show.columns
            feeds: Feeds = {}
            if self.samples is not None:
                places = np.arange(count) % len(self.samples)
                feeds |= evaluated(self.training, self.samples.take(places))
            for noise in self.training.noises:
                feeds[noise.name] = draw_noise(noise, self.choices.seed, -1, count)
            inputs = {node.name for node in show.graph.inputs()}
            made = self.engine.measure(
                show.graph, {n: a for n, a in feeds.items() if n in inputs}, self.averages
            )
            path = self.choices.out / f"{show.name}.{epoch:04d}.png"
            write_picture(path, mosaic(made[show.name], show.rows, show.columns))

    def save(self) -> None:
        """Write the weights and the state, that last."""
        if self.choices.out is None:
            return
        self.write_weights(WEIGHTS)
        save_state(self.choices.out / STATE, self.progress, self.engine.arrays())
        self._saved = time.monotonic()

    # ── the end ──────────────────────────────────────────────────────────────────────────────

    def check_expects(self) -> None:
        """Raise `DefinitionError` (E402) for what a training was to reach and has not."""
        measured = self.measured()
        evaluate, scope = Evaluator(Facts()), Scope(values={**self.training.constants, **measured})
        found = []
        for condition in self.training.expects:
            if not evaluate.truth(condition, scope):
                names = [p.id for p in s_names(condition) if p.id in measured]
                rendered = ", ".join(f"{name} is {measured[name]:.4g}" for name in names)
                where = "on the held-out part" if self.held_out is not None else "in training"
                found.append(
                    Diagnostic.of(
                        "E402",
                        "a contract does not hold",
                        condition.span,
                        label=f"{rendered} {where}",
                    )
                )
        if found:
            raise DefinitionError(found)

    def measured(self) -> dict[str, float]:
        """Losses and reports after the last epoch, of the held-out part where there is one."""
        if self.held_out is not None:
            return self.evaluate(self.held_out)
        rows = self.progress.rows
        return {k: v for k, v in rows[-1].items() if not k.startswith("val_")} if rows else {}


def learning_nets(training: TrainingPlan) -> list[TrainedNet]:
    """The nets of which some parameters are learned."""
    learned = {p for plan in training.steps for u in plan.updates for p in u.parameters}
    return [
        net
        for net in training.nets
        if any(f"{net.prefix}.{name}" in learned for name in net.graph.parameters())
    ]


def weights_names(word: str, prefixes: Collection[str]) -> Iterator[tuple[str, str]]:
    """The file of each net's weights: `weights.safetensors`, of several nets one each."""
    for prefix in prefixes:
        yield prefix, f"{word}.{prefix}.safetensors" if len(prefixes) > 1 else f"{word}.safetensors"


def files_of(training: TrainingPlan, out: Path) -> list[Path]:
    """The files that every run writes into its folder, pictures that it shows left out."""
    prefixes = [net.prefix for net in learning_nets(training)]
    weights = [name for word in (WEIGHTS, BEST) for _, name in weights_names(word, prefixes)]
    return [out / name for name in (STATE, LOG, CURVE, *weights)]


def engine_for(
    training: TrainingPlan,
    layouts: tuple[StepLayout, ...],
    arrays: Mapping[str, NDArray[Any]],
    choices: Choices,
) -> StepEngine:
    """What runs the steps on the chosen device; NumPy keeps every tensor, `checkpoint` or not."""
    device = choices.device
    check_products(layouts[0].dtype, device)
    if parse_device(device).kind == "numpy":
        return NumpyEngine(training, layouts, arrays)
    return DeviceEngine(training, layouts, arrays, device, choices.settings, choices.checkpoint)


def first_arrays(
    training: TrainingPlan,
    layouts: tuple[StepLayout, ...],
    seed: int,
    weights: Mapping[str, NDArray[Any]] | None = None,
) -> dict[str, NDArray[Any]]:
    """All arrays at the start of a run: initial numbers or given ones, and the optimisers' own."""
    arrays: dict[str, NDArray[Any]] = {}
    for net in training.nets:
        for name, value in initialise(net.graph, seed).values.items():
            full = f"{net.prefix}.{name}"
            arrays[full] = np.asarray((weights or {}).get(full, value), dtype=np.float32)
    for layout in layouts:
        for name, state in layout.states.items():
            start = arrays[state.parameter] if state.starts_as_parameter else state.start
            arrays[name] = np.full(state.shape, start, dtype=np.float32)
    return arrays


def s_names(condition: s.Expression) -> list[s.Name]:
    """The names on the sides of a comparison."""
    operands = condition.operands if isinstance(condition, s.Comparison) else (condition,)
    return [operand for operand in operands if isinstance(operand, s.Name)]


def best_by(training: TrainingPlan) -> tuple[str, bool] | None:
    """What the best epoch is the best by, and whether larger is better.

    The first report, else the only objective; several objectives pull against one another.
    """
    names = training.reports
    graph = training.evaluation
    if not names:
        if len(training.steps) > 1:
            return None
        step = training.steps[0]
        return step.objective, step.maximize
    op = graph[graph.outputs[names[0]]].op
    return names[0], isinstance(op, Accuracy) or not isinstance(op, Loss)


def mosaic(pictures: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Pictures side by side, [C, H, W] from 0 to 1, a pixel between them.

    Their values are taken as 0 to 1, or as -1 to 1 where some are negative.
    """
    planes = pictures[:, None] if pictures.ndim == 3 else pictures
    low, high = (-1.0, 1.0) if planes.min() < 0 else (0.0, 1.0)
    planes = np.clip((planes - low) / (high - low), 0, 1)
    _, channels, high_side, wide = planes.shape
    sheet = np.ones((channels, rows * (high_side + 1) - 1, columns * (wide + 1) - 1))
    for place, plane in enumerate(planes):
        top, left = (place // columns) * (high_side + 1), (place % columns) * (wide + 1)
        sheet[:, top : top + high_side, left : left + wide] = plane
    return sheet


def with_rate(training: TrainingPlan, rate: float) -> TrainingPlan:
    """The training with another rate; a schedule begins at it."""
    steps = tuple(
        replace(
            plan,
            updates=tuple(
                replace(u, optimiser=replace(u.optimiser, rate=scaled(u.optimiser.rate, rate)))  # type: ignore[attr-defined,call-arg]
                for u in plan.updates
            ),
        )
        for plan in training.steps
    )
    return replace(training, steps=steps)


def scaled(old: float | Schedule, rate: float) -> float | Schedule:
    """A rate in place of a number, or of the number that a schedule begins at."""
    if not isinstance(old, Schedule):
        return rate
    return replace(old, rate=scaled(old.rate, rate))  # type: ignore[attr-defined,call-arg]


def split(samples: Samples, share: float, seed: int) -> tuple[Samples, Samples | None]:
    """The samples without a share of them, chosen by the seed, and that share."""
    count = round(len(samples) * share)
    if not count:
        return samples, None
    if count >= len(samples):
        raise CallError(f"{samples.name} has {len(samples)} samples: nothing is left to train on")
    shuffled = generator(seed, "split").permutation(len(samples))
    return samples.part(np.sort(shuffled[count:])), samples.part(np.sort(shuffled[:count]))
