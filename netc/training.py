"""Trainings in Python: `netc.load_training`, `net.fit`, and what they come to.

    training = netc.load_training("digits", "training.netdef")
    history = training.fit({"image": images, "label": labels}, split=0.2)
    history["val_accuracy"], history.weights["lenet5"]

    for step in training.start("digits.npz", epochs=1):
        print(step.epoch, step.values["loss"])

The first is a run from its beginning to its end; the second does a step when it is asked for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.driver import CheckedTraining, check_training
from compiler.files import Files
from compiler.onnx.precision import DTYPES
from compiler.symbols.modules import Closure, Module
from compiler.training.model import TrainingPlan
from grammar.diagnostics import DefinitionError
from netc.api import files_in
from netc.library import check_settings, choose, open_module
from runtime.errors import CallError
from runtime.files import check_writable, reasons, refuse_inputs, written_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netc.net import Net
    from runtime.decode import PictureError
    from runtime.training.loop import TrainingRun
    from runtime.training.samples import Samples

SHARE = 0.1  # of the data that is held out where something is reported and nothing else is said


def load_training(
    name: str | None,
    file: str | Path,
    *,
    include: Sequence[str | Path] = (),
    **parameters: Any,
) -> Training:
    """A training of a definition file, checked; `parameters` are its own (`rate=1e-3`).

    Raises `DefinitionError` with every mistake, `CallError` when the call is at fault.
    """
    files = files_in(include)
    checked = checked_training(str(file), name, parameters, files)
    return Training(require_training(checked), checked, files.seen)


class Training:
    """A checked training, to be given data and run, as often as wanted.

    `read` are the files that it was read from, which no run writes over.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        checked: CheckedTraining | None = None,
        read: Collection[Path] = (),
    ) -> None:
        self.plan = plan
        self._read = read
        self.warnings = () if checked is None else checked.diagnostics

    @property
    def name(self) -> str:
        """What the definition calls it."""
        return self.plan.name

    def __repr__(self) -> str:
        return f"<Training {self.name}: {len(self.plan.steps)} steps, {self.plan.epochs} epochs>"

    def start(
        self,
        data: Any = None,
        *,
        val: Any = None,
        split: float | None = None,
        out: str | Path | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        seed: int = 0,
        device: str = "auto",
        weights: Sequence[str] | Mapping[str, NDArray[Any]] = (),
        resume: bool = False,
        max_steps: int | None = None,
        checkpoint: bool = False,
        dtype: str = "f32",
        broken: Callable[[PictureError], None] | None = None,
    ) -> TrainingRun:
        """A run that does its next step when it is asked for the next one.

        `data` is a path as `netc train --data` takes it, arrays by name, or samples one by one,
        each a dict or a tuple in the order of the definition. Without `out` nothing is written.
        With `checkpoint` activations are worked out twice instead of kept; products are
        computed in `dtype`, `"f16"` or `"bf16"`, where the device has it. A picture that is
        broken stops the run, unless `broken` is given, which is told of it. `notes` of the run
        say what is valid and hardly meant.
        """
        from runtime.training.loop import Choices, TrainingRun

        if dtype not in DTYPES:
            raise CallError(f"there is no dtype {dtype}; it is one of {', '.join(DTYPES)}")
        plan = changed(self.plan, epochs, batch_size, lr, dtype)
        samples, held_out = given(plan, data, val, split, seed, broken)
        folder = None if out is None else Path(out)
        if folder is not None:
            named = () if isinstance(weights, Mapping) else weights
            read: list[Path | str] = [
                *self._read,
                *named,
                *(text.partition("=")[2] for text in named),
            ]
            paths = [Path(path) for path in (data, val) if isinstance(path, str | Path)]
            prepare(folder, plan, [*read, *paths], paths, (samples, held_out))
        arrays = weights if isinstance(weights, Mapping) else initial_weights(plan, weights)
        given_rate = lr is not None
        choices = Choices(
            seed, device, folder, max_steps, checkpoint=checkpoint, rate_given=given_rate
        )
        return TrainingRun(plan, samples, held_out, choices, arrays, resume)

    def fit(self, data: Any = None, **choices: Any) -> History:
        """Run it to its end; `choices` are those of `start`."""
        run = self.start(data, **choices)
        for _ in run:
            pass
        return History(run)


class History:
    """What a run measured, and the weights that it came to; a notebook shows its curves."""

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self.rows: list[dict[str, float]] = run.progress.rows
        self.best = run.progress.best
        self.best_epoch = run.progress.best_epoch
        self.net: Net | None = None  # with the weights, where one net was trained by `fit`

    @property
    def weights(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """The parameters of each net that learned, by the net's name and their own."""
        return self.run.weights()

    def __getitem__(self, name: str) -> list[float]:
        """What was measured under a name after each epoch: `loss`, `accuracy`, `val_accuracy`."""
        return [row[name] for row in self.rows]

    def __repr__(self) -> str:
        last = ", ".join(f"{k} {v:.4g}" for k, v in (self.rows[-1] if self.rows else {}).items())
        return f"<History of {len(self.rows)} epochs: {last}>"

    def _repr_svg_(self) -> str:
        """The curves as a notebook shows them."""
        from runtime.training.journal import curves

        return curves(self.rows, self.run.training.name)


def given(
    plan: TrainingPlan,
    data: Any,
    val: Any,
    split: float | None,
    seed: int,
    broken: Callable[[PictureError], None] | None = None,
) -> tuple[Samples | None, Samples | None]:
    """The samples that a call gives, and those held out; raises `CallError`."""
    if data is None or isinstance(data, str | Path):
        own = None if data is None else Path(data)
        held = None if val is None else Path(val)
        return samples_for(plan, own, held, split, seed, broken)
    from runtime.training.loop import split as divided
    from runtime.training.memory import samples_in_memory

    samples = samples_in_memory(plan.data, data)
    if val is not None:
        if split is not None:
            raise CallError("val says what is held out, and so does split: give one of them")
        return samples, samples_in_memory(plan.data, val)
    share = split if split is not None else 0.0
    return divided(samples, share, seed)


def choose_training(module: Module, name: str | None) -> Closure:
    """The training called `name`, or the only one of the file; raises `CallError`."""
    return choose(module, module.trainings(), name, "training", "--train")


def checked_training(
    file: str, name: str | None, settings: Mapping[str, Any], files: Files
) -> CheckedTraining:
    """One training of a file, checked; raises `CallError` for a setting that it has not."""
    module, _ = open_module(file, files)
    block = choose_training(module, name)
    check_settings(block, settings)
    return check_training(block, settings)


def require_training(checked: CheckedTraining) -> TrainingPlan:
    """The training of a definition without errors; raises `DefinitionError`."""
    if checked.training is None:
        raise DefinitionError(checked.diagnostics)
    return checked.training


def changed(
    training: TrainingPlan,
    epochs: int | None = None,
    batch: int | None = None,
    rate: float | None = None,
    dtype: str = "f32",
) -> TrainingPlan:
    """The training with other epochs, batch or rate than its text says, its products in `dtype`."""
    from runtime.training.loop import with_rate

    if epochs is not None:
        training = replace(training, epochs=epochs)
    if batch is not None:
        training = replace(training, batch=batch)
    if dtype != "f32":
        steps = tuple(replace(plan, dtype=dtype) for plan in training.steps)
        training = replace(training, steps=steps)
    return training if rate is None else with_rate(training, rate)


def samples_for(
    training: TrainingPlan,
    data: Path | None,
    val: Path | None,
    share: float | None,
    seed: int,
    broken: Callable[[PictureError], None] | None = None,
) -> tuple[Samples | None, Samples | None]:
    """The samples to train on and those held out: of a file of their own, or a share.

    Without either, a tenth is held out where something is reported, unless the data holds some
    out itself. Raises `CallError`.
    """
    from runtime.training.loop import split
    from runtime.training.readers import SampleReader
    from runtime.training.samples import stop

    if not training.data:
        if data is not None:
            raise CallError(f"training {training.name} takes no data, only noise: no --data")
        return None, None
    if data is None:
        names = " and ".join(f"`{part.name}`" for part in training.data)
        raise CallError(f"training {training.name} needs {names}: give --data")
    if val is not None and share is not None:
        raise CallError("--val says what is held out, and so does --split: give one of them")
    reader = SampleReader(training.data, broken or stop)
    opened = reader.open(data)
    if val is not None:
        return opened.train, reader.open(val).train
    if share is None and opened.held_out is not None:
        return opened.train, opened.held_out
    if share is None:
        share = SHARE if training.reports or training.expects else 0.0
    return split(opened.train, share, seed)


def prepare(
    out: Path,
    training: TrainingPlan,
    read: Iterable[Path | str],
    data: Iterable[Path | None],
    samples: Iterable[Samples | None],
) -> None:
    """Make the folder of a run, where all that it is to write can be written.

    Raises `CallError` where something that is read would be written over, a file among `read` or
    a picture of the samples, and for a folder inside one of `data`, whose samples pictures of the
    run would be. Raises `MachineError` for a full disk.
    """
    from runtime.training.loop import files_of
    from runtime.training.samples import PictureSource

    place = Path(os.path.realpath(out))
    for path in data:
        if path is not None and path.is_dir() and place.is_relative_to(os.path.realpath(path)):
            raise CallError(f"{out} lies among the samples of {path}: choose another folder")
    here = written_in(out)
    if here:
        sources = [s for each in samples if each is not None for s in each.sources.values()]
        pictures = [p for s in sources if isinstance(s, PictureSource) for p in s.pictures]
        refuse_inputs(here, [*read, *(p for p in pictures if isinstance(p, Path))])
    with reasons(out):
        out.mkdir(parents=True, exist_ok=True)
    check_writable(files_of(training, out))


def initial_weights(training: TrainingPlan, given: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """What `--weights FILE` or `--weights NET=FILE` gives; raises `CallError`."""
    from runtime.weights.fit import apply_weights
    from runtime.weights.rename import WeightsFile

    nets = {net.prefix: net for net in training.nets if net.graph.parameters()}
    found: dict[str, NDArray[np.float32]] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or name not in nets:
            if len(nets) != 1:
                rendered = " ".join(f"--weights {net}=FILE" for net in nets)
                raise CallError(f"this training has several nets: {rendered}")
            name, path = next(iter(nets)), text
        graph = apply_weights(nets[name].graph, WeightsFile(Path(path), ()))
        found |= {f"{name}.{key}": value for key, value in graph.values.items()}
    return found
