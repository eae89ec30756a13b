"""Trainings in Python: read from a definition, given data, run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.driver import CheckedTraining, check_training
from compiler.files import Files
from compiler.symbols.modules import Closure, Module
from compiler.training.model import TrainingPlan
from grammar.diagnostics import DefinitionError
from netc.library import check_settings, choose, open_module
from runtime.errors import CallError
from runtime.files import check_writable, reasons, refuse_inputs, written_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from runtime.decode import PictureError
    from runtime.training.samples import Samples

SHARE = 0.1  # of the data that is held out where something is reported and nothing else is said


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
