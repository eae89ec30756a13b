"""What one of many workers does: some pictures through a model, into a Parquet file of its own.

A file holds a row for each picture, those that cannot be read with the reason in the column `error`
and nothing else. It is named for its pictures and appears whole or not at all, so a worker that is
killed leaves nothing behind, and whoever does its work again writes the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.gather import picture_input
from netc.runnable import Engine, Runnable, runnable_of_model
from netc.top_classes import Ranking, top_classes
from runtime.batches import Arrays, read_ahead, run_rows
from runtime.errors import CallError, MachineError
from runtime.files import write_whole
from runtime.inputs import InputSpec, TensorSpec, picture_sample
from runtime.pictures import Augment
from runtime.valid_sizes import check_sizes

PART = "part-"  # begins the names of the files
ERROR = "error"


@dataclass(frozen=True)
class Job:
    """What every worker is told: the model, where the pictures lie and the results go, and how.

    `threads` are those that a worker may use, to read and to compute.
    """

    model: str
    root: str
    folder: str
    device: str = "cpu"
    exact: bool = True
    size: int = 8
    augment: Augment = "none"
    threads: int = 1
    shapes: Mapping[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Shard:
    """The pictures that make one file of results."""

    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file, by what is in it."""
        return f"{PART}{hashlib.sha256(json.dumps(self.files).encode()).hexdigest()[:20]}.parquet"


class ShardWorker:
    """A model opened once, and shards through it, one after the other."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @cached_property
    def runnable(self) -> Runnable:
        """The model on its device, opened when it is first needed."""
        engine = Engine(self.job.device, exact=self.job.exact, threads=self.job.threads)
        return runnable_of_model(Path(self.job.model), engine, self.job.shapes)

    @cached_property
    def spec(self) -> InputSpec:
        """What pictures become."""
        return picture_spec(self.runnable)

    def __call__(self, rows: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
        """Do shards, whose `files` are JSON: how many pictures, how many broken, what it took.

        What keeps a worker from working is told as data, `failure`: message and remedy. Raised, it
        would be tried again and again.
        """
        names = ("pictures", "broken", "seconds", "failure")
        found: dict[str, list[Any]] = {name: [] for name in names}
        for text in rows["files"]:
            start = time.process_time()
            shard, broken, failure = Shard(tuple(json.loads(text))), 0, ""
            try:
                broken = self.work(shard)
            except CallError as error:
                failure = json.dumps([str(error), ""])
            except MachineError as error:
                failure = json.dumps([str(error), error.remedy])
            for name, value in zip(
                names,
                (len(shard.files), broken, time.process_time() - start, failure),
                strict=True,
            ):
                found[name].append(value)
        return found

    def work(self, shard: Shard) -> int:
        """Write the results of a shard; how many of its pictures were broken."""
        parquet: Any = import_module("pyarrow.parquet")
        errors, outputs = self.results(shard.files)
        table = table_of(shard.files, outputs, errors, self.runnable)
        path = Path(self.job.folder) / shard.name
        write_whole(path, lambda target: parquet.write_table(table, target))
        return sum(error is not None for error in errors)

    def results(self, files: Sequence[str]) -> tuple[list[str | None], list[Arrays | None]]:
        """What is wrong with each picture, and the outputs of those that are well."""
        errors: list[str | None] = [None] * len(files)
        outputs: list[Arrays | None] = [None] * len(files)
        waiting: list[tuple[int, Arrays]] = []

        def run() -> None:
            made = run_rows(self.runnable.runner, [r for _, r in waiting], self.job.augment)
            for row, (place, _) in enumerate(waiting):
                outputs[place] = {name: value[row] for name, value in made.items()}
            waiting.clear()

        for place, found in enumerate(self.pictures(files)):
            if isinstance(found, CallError):
                errors[place] = str(found)
                continue
            shape = next(iter(waiting[0][1].values())).shape if waiting else found.shape
            if len(waiting) == self.job.size or shape != found.shape:
                run()
            waiting.append((place, {self.spec.name: found}))
        if waiting:
            run()
        return errors, outputs

    def pictures(self, files: Sequence[str]) -> Iterator[NDArray[Any] | CallError]:
        """Each picture as the model takes it, read ahead, or what is wrong with it."""

        def read(place: int) -> NDArray[Any] | CallError:
            try:
                return self.one(files[place])
            except CallError as error:
                return error

        return read_ahead(read, len(files), self.job.size, self.job.threads)

    def one(self, file: str) -> NDArray[Any]:
        """The views of one picture; raises `CallError`."""
        path = Path(self.job.root) / file
        array = picture_sample(self.spec, file, path, self.job.augment).read()
        check_sizes(self.runnable.inputs, self.runnable.violated, file, {self.spec.name: array})
        return array


def table_of(
    files: Sequence[str],
    outputs: Sequence[Arrays | None],
    errors: Sequence[str | None],
    runnable: Runnable,
) -> Any:
    """A row for each picture: its name, each output as a list, a vector's best class, the error."""
    arrow: Any = import_module("pyarrow")
    columns: dict[str, Any] = {"sample": arrow.array(files, arrow.string())}
    fields = [arrow.field("sample", arrow.string())]
    for spec in runnable.outputs:
        rows = [None if made is None else made[spec.name] for made in outputs]
        for name, column, metadata in columns_of(arrow, spec, rows, runnable):
            columns[name] = column
            fields.append(arrow.field(name, column.type, metadata=metadata))
    columns[ERROR] = arrow.array(errors, arrow.string())
    fields.append(arrow.field(ERROR, arrow.string()))
    return arrow.table(list(columns.values()), schema=arrow.schema(fields))


def columns_of(
    arrow: Any, spec: TensorSpec, rows: Sequence[NDArray[Any] | None], runnable: Runnable
) -> Iterator[tuple[str, Any, dict[str, str] | None]]:
    """The columns of one output: its numbers, its shape where that is open, a vector's class."""
    kind = np.dtype("float32" if spec.dtype == "bfloat16" else spec.dtype)
    sizes = [size for size in spec.shape if isinstance(size, int)]
    if len(sizes) == len(spec.shape):
        count = math.prod(sizes)
        blank = np.zeros(count, kind)
        flat = [blank if row is None else np.asarray(row, kind).reshape(-1) for row in rows]
        missing = arrow.array([row is None for row in rows])
        numbers = arrow.array(np.concatenate(flat) if flat else blank[:0])
        made = arrow.FixedSizeListArray.from_arrays(numbers, count, mask=missing)
        yield spec.name, made, {"shape": json.dumps(sizes)}
    else:
        listed = [None if row is None else np.asarray(row, kind).reshape(-1) for row in rows]
        yield spec.name, arrow.array(listed, arrow.list_(arrow.from_numpy_dtype(kind))), None
        shapes = [None if row is None else list(row.shape) for row in rows]
        yield f"{spec.name}.shape", arrow.array(shapes, arrow.list_(arrow.int64())), None
    if sizes and len(sizes) == len(spec.shape) and math.prod(sizes) == sizes[0]:
        ranking = Ranking(runnable.labels, 1)
        best = [None if row is None else top_classes(spec.name, row, ranking)[0] for row in rows]
        classes = [None if b is None else b.index for b in best]
        labels = [None if b is None else b.label for b in best]
        yield f"{spec.name}.class", arrow.array(classes, arrow.int64()), None
        yield f"{spec.name}.label", arrow.array(labels, arrow.string()), None


def picture_spec(runnable: Runnable) -> InputSpec:
    """The only input of a network that pictures can feed alone; raises `CallError`."""
    if len(runnable.inputs) != 1:
        raise CallError(f"{runnable.name} has {len(runnable.inputs)} inputs: pictures feed one")
    return runnable.spec(picture_input(runnable, {}))
