"""Trainings in Python: `netc.load_training`, `net.fit`, and what they come to.

    training = netc.load_training("digits", "training.netdef")
    history = training.fit({"image": images, "label": labels}, split=0.2)
    history["val_accuracy"], history.weights["lenet5"]

    for step in training.start("digits.npz", epochs=1):
        print(step.epoch, step.values["loss"])

The first is a run from its beginning to its end; the second does a step when it is asked for one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.driver import CheckedTraining
from compiler.onnx.precision import DTYPES
from compiler.training.model import TrainingPlan
from netc.api import files_in
from netc.training import (
    changed,
    checked_training,
    initial_weights,
    prepare,
    require_training,
    samples_for,
)
from runtime.errors import CallError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netc.net import Net
    from runtime.decode import PictureError
    from runtime.training.loop import TrainingRun
    from runtime.training.samples import Samples


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
