"""Samples through a model: batches filled, the last one trimmed, views of a sample averaged."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtime.errors import CallError
from runtime.inputs import Sample
from runtime.pictures import VIEWS, Augment
from runtime.placement import Placement

Arrays: TypeAlias = dict[str, NDArray[Any]]
Run: TypeAlias = Callable[[Arrays], Arrays]
Check: TypeAlias = Callable[[str, Arrays], None]
T = TypeVar("T")

READERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Runner:
    """A model on a device: `run` takes a batch by input name; `pinned` is its fixed batch size.

    `note` is what one would want to know of the device, `note_now` what that is after a run.
    `placement` tells which of ONNX Runtime's providers runs which node, where it can.
    """

    device: str
    run: Run
    note: str = ""
    pinned: int | None = None
    placement: Callable[[], Placement | None] = lambda: None
    note_now: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Batch:
    """Results: the samples' names, and each output with one row a sample."""

    names: tuple[str, ...]
    outputs: Arrays


def run_batches(
    runner: Runner,
    samples: Mapping[str, Sequence[Sample]],
    *,
    size: int,
    augment: Augment = "none",
    check: Check = lambda name, arrays: None,
) -> Iterator[Batch]:
    """Run all samples, at most `size` at a time; those of one batch have the same shapes.

    Every input needs the same number of samples. `check` sees each sample before it runs, and may
    raise. The views of a sample (see `read_views`) run together, and their outputs are averaged.
    """
    counts = {name: len(given) for name, given in samples.items()}
    if len(set(counts.values())) > 1:
        rendered = ", ".join(f"{count} for {name}" for name, count in counts.items())
        raise CallError(f"every input needs the same number of samples, there are {rendered}")
    names: list[str] = []
    rows: list[Arrays] = []
    for name, arrays in read_all(samples, size):
        check(name, arrays)
        if rows and (len(rows) == size or shapes(rows[0]) != shapes(arrays)):
            yield Batch(tuple(names), run_rows(runner, rows, augment))
            names, rows = [], []
        names.append(name)
        rows.append(arrays)
    if rows:
        yield Batch(tuple(names), run_rows(runner, rows, augment))


def collect(batches: Iterable[Batch]) -> Arrays:
    """All rows of every output in one array; raises `CallError` when their sizes differ."""
    parts: dict[str, list[NDArray[Any]]] = {}
    for batch in batches:
        for name, value in batch.outputs.items():
            parts.setdefault(name, []).append(value)
    for name, rows in parts.items():
        if len({row.shape[1:] for row in rows}) > 1:
            raise CallError(
                f"the samples have different sizes, and so have their outputs {name}, which one "
                "array cannot hold: run them one by one, or bring them to one size"
            )
    return {
        name: rows[0] if len(rows) == 1 else np.concatenate(rows) for name, rows in parts.items()
    }


def shapes(arrays: Arrays) -> list[tuple[int, ...]]:
    """The shapes of the inputs of one sample."""
    return [array.shape for array in arrays.values()]


def read_all(
    samples: Mapping[str, Sequence[Sample]], size: int
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Every sample in order, read a batch ahead by a few threads while the model runs."""
    names = [sample.name for sample in next(iter(samples.values()))]

    def read(index: int) -> Arrays:
        return {name: given[index].read() for name, given in samples.items()}

    yield from zip(names, read_ahead(read, len(names), size), strict=True)


def read_ahead(
    read: Callable[[int], T], count: int, size: int, readers: int = READERS
) -> Iterator[T]:
    """What `read` gives for 0, 1, …, two batches of `size` ahead by a few threads."""
    if count <= size:
        yield from map(read, range(count))
        return
    pool = ThreadPoolExecutor(readers)
    pending: deque[Future[T]] = deque()
    try:
        for index in range(count):
            pending.append(pool.submit(read, index))
            if len(pending) > 2 * size:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_rows(runner: Runner, rows: Sequence[Arrays], augment: Augment) -> Arrays:
    """One batch of samples: all their views at once, then the mean over the views."""
    feeds = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    outputs = run_pinned(runner, feeds)
    if augment == "none":
        return outputs
    views = VIEWS[augment]
    return {
        name: average(name, value.reshape(-1, views, *value.shape[1:]), augment)
        for name, value in outputs.items()
    }


def run_pinned(runner: Runner, feeds: Arrays) -> Arrays:
    """Run a batch; where the model's batch is pinned, in parts of that size.

    The last part is filled with its last sample, and what comes of the filling is cut off.
    """
    count = len(next(iter(feeds.values())))
    if runner.pinned is None:
        return {n: with_batch(n, v, count) for n, v in runner.run(feeds).items()}
    parts = []
    for start in range(0, count, runner.pinned):
        part = {name: array[start : start + runner.pinned] for name, array in feeds.items()}
        held = len(next(iter(part.values())))
        lacking = runner.pinned - held
        filled = {
            name: np.concatenate([array, np.repeat(array[-1:], lacking, axis=0)])
            for name, array in part.items()
        }
        outputs = runner.run(filled)
        parts.append({n: with_batch(n, v, runner.pinned)[:held] for n, v in outputs.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def with_batch(name: str, value: NDArray[Any], count: int) -> NDArray[Any]:
    """An output with a row for each sample; raises `CallError` where it has none."""
    if value.ndim and value.shape[0] == count:
        return value
    if count == 1:
        return value[None]
    raise CallError(
        f"the output {name} is {list(value.shape)} for a batch of {count}: it has no batch in "
        "front, so run one sample at a time with --batch-size 1"
    )


def average(name: str, views: NDArray[Any], augment: Augment) -> NDArray[Any]:
    """The mean over the views, [N, V, …] to [N, …]; maps of a mirror image are mirrored back."""
    if any(size != 1 for size in views.shape[3:]):
        if augment != "flip" or views.ndim != 5:
            raise CallError(
                f"the output {name} is a map, and {augment} averages numbers for a whole picture"
            )
        views = np.stack([views[:, 0], views[:, 1, ..., ::-1]], axis=1)
    mean: NDArray[Any] = views.mean(axis=1, dtype=np.float64).astype(views.dtype)
    return mean
