"""The state of a run in one file, whole or not at all, from which it goes on bit for bit.

`state.safetensors` holds every parameter, running statistic and moment in full, and in its header
how far the run is and what it measured, as JSON (whose floats are exact).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from runtime.errors import CallError
from runtime.files import write_whole
from runtime.weights.saving import write_safetensors

KEY = "netc.training"
NOT_A_STATE = (
    *(OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError),
)
NOT_A_STATE = (
    *(OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError),
)
Row = dict[str, float]


@dataclass
class Progress:
    """How far a run is: turns done, sums of this epoch, what was measured after each.

    `sums` adds up losses and reports over the `counted` turns of the epoch so far; `rows` are the
    epochs' lines of the log; `best` is the best of what is best by, None before the first.
    """

    training: str
    seed: int
    batch: int
    samples: int
    epochs: int
    turn: int = 0
    seconds: float = 0.0
    sums: Row = field(default_factory=dict)
    counted: int = 0
    rows: list[Row] = field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0


def save_state(path: Path, progress: Progress, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the state of a run."""
    metadata = {KEY: json.dumps(asdict(progress))}
    write_whole(path, lambda target: write_safetensors(target, arrays, metadata))


def load_state(path: Path) -> tuple[Progress, dict[str, NDArray[Any]]]:
    """The state of a run; raises `CallError` for a file that is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            stored = json.loads((file.metadata() or {})[KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        progress = Progress(**stored)
        check_progress(progress)
        return progress, arrays
    except NOT_A_STATE as error:
        raise CallError(f"{path} is no state of a run: {error}") from None


def check_progress(progress: Progress) -> None:
    """Raise `ValueError` (or another of `NOT_A_STATE`) for what no run would say of itself."""
    counts = ("batch", "samples", "epochs", "turn", "counted", "best_epoch")
    sound = (
        isinstance(progress.training, str)
        and type(progress.seed) is int
        and all(type(count := getattr(progress, name)) is int and count >= 0 for name in counts)
        and all(row.keys() >= {"epoch", "turn", "rate", "seconds"} for row in progress.rows)
        and all(is_number(v) for row in (*progress.rows, progress.sums) for v in row.values())
        and is_number(progress.seconds)
        and (progress.best is None or is_number(progress.best))
    )
    if not sound:
        raise ValueError("what it says of the run makes no sense")


def is_number(value: Any) -> bool:
    """Whether JSON had a number here."""
    return type(value) in (int, float)


def check_same(found: Progress, wanted: Progress, path: Path) -> None:
    """Raise `CallError` when a run to be resumed was another one."""
    for name, word in (
        ("training", "training"),
        ("seed", "--seed"),
        ("batch", "batch"),
        ("samples", "samples"),
    ):
        have, want = getattr(found, name), getattr(wanted, name)
        if have != want:
            raise CallError(f"{path} is of a run with {word} {have}, not {want}")


def check_arrays(
    found: Mapping[str, NDArray[Any]], wanted: Mapping[str, NDArray[Any]], path: Path
) -> None:
    """Raise `CallError` when the arrays of a state are not such as the training has."""
    have, want = (
        {name: (array.shape, array.dtype) for name, array in arrays.items()}
        for arrays in (found, wanted)
    )
    if have != want:
        names = [n for n in {**want, **have} if want.get(n) != have.get(n)]
        raise CallError(
            f"{path} does not fit the definition, which has changed: {', '.join(names[:8])}"
            f"{'…' if names[8:] else ''}"
        )
