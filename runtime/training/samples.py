"""What batches are drawn from: for each part of a sample a source that gives some of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compiler.ops.base import show_shape
from compiler.training.model import Data
from runtime.decode import PictureError
from runtime.errors import CallError
from runtime.pictures import PictureInput, read_views

Indices = NDArray[np.int64]


class DataError(CallError):
    """Data that cannot be read, or is not as the training declares it."""


class SampleSource(Protocol):
    """One part of the samples: `take` gives some rows, [count, …] in float32 or int64."""

    def __len__(self) -> int: ...

    def take(self, indices: Indices) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Samples:
    """All samples of a file or folder: a source for each part that the training declares.

    `name` is what messages call them. `rows` are the samples that count, in order: a part of them
    after a split.
    """

    name: str
    sources: Mapping[str, SampleSource]
    rows: Indices

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Indices) -> dict[str, NDArray[Any]]:
        """The samples at some places, by part."""
        rows = self.rows[places]
        return {name: source.take(rows) for name, source in self.sources.items()}

    def part(self, places: Indices) -> Samples:
        """Some of the samples."""
        return replace(self, rows=self.rows[places])


def all_of(name: str, sources: Mapping[str, SampleSource]) -> Samples:
    """All samples of some sources; raises `DataError` when they are not equally many."""
    counts = {part: len(source) for part, source in sources.items()}
    if len(set(counts.values())) > 1:
        rendered = ", ".join(f"{count:,} of {part}" for part, count in counts.items())
        raise DataError(f"{name} has not as many of each: {rendered}")
    count = next(iter(counts.values()), 0)
    if not count:
        raise DataError(f"{name} holds no samples")
    return Samples(name, dict(sources), np.arange(count))


# ── arrays ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ArraySource:
    """Rows of an array in memory; whole numbers of 8 bits are scaled from 0..255 to 0..1."""

    array: NDArray[Any]
    shape: tuple[int, ...]
    scaled: bool

    def __len__(self) -> int:
        return len(self.array)

    def take(self, indices: Indices) -> NDArray[Any]:
        rows = self.array[indices].reshape(len(indices), *self.shape)
        if self.scaled:
            return rows.astype(np.float32) / np.float32(255)
        return rows.astype(np.float32)


@dataclass(frozen=True)
class ClassSource:
    """Classes, whole numbers."""

    array: NDArray[Any]

    def __len__(self) -> int:
        return len(self.array)

    def take(self, indices: Indices) -> NDArray[Any]:
        return self.array[indices].astype(np.int64)


@dataclass(frozen=True)
class PictureSource:
    """Pictures, files or pixels in memory, decoded when a batch wants them.

    `broken` is told of a file that cannot be read; it raises, or the next one takes its place.
    """

    pictures: Sequence[Path | NDArray[np.uint8]]
    wanted: PictureInput
    broken: Callable[[PictureError], None]

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, indices: Indices) -> NDArray[Any]:
        return np.concatenate([self.one(int(index)) for index in indices])

    def one(self, index: int) -> NDArray[Any]:
        """One picture, [1, C, H, W]; the next that can be read, where it is broken."""
        for offset in range(len(self.pictures)):
            try:
                return read_views(self.pictures[(index + offset) % len(self.pictures)], self.wanted)
            except PictureError as error:
                self.broken(error)
        raise DataError("not one of the pictures can be read")


def array_source(file: str, data: Data, array: NDArray[Any]) -> SampleSource:
    """A source of rows that are as the training declares them; raises `DataError`."""
    where = f"{file}: {data.name}"
    if array.ndim == 0:
        raise DataError(f"{where} is one number; the samples lie along the first axis")
    if not len(array):
        raise DataError(f"{where} holds no samples")
    if data.classes is not None:
        return class_source(where, data.classes, array)
    shape = data.shape
    have = array.shape[1:]
    pictures = len(shape) == 3 and array.dtype == np.uint8
    if pictures and data.picture is not None:
        planes = array if len(have) != 3 or have[-1] in (3, 4) else array.transpose(0, 2, 3, 1)
        planes = planes[..., 0] if planes.ndim == 4 and planes.shape[-1] == 1 else planes
        return PictureSource(list(planes), PictureInput(shape, data.picture), stop)
    if pictures and have != shape and have == (*shape[1:], shape[0]):
        array = np.moveaxis(array, -1, 1)  # channels last, as pictures in memory are
    elif have != shape and (shape[0] != 1 or have != shape[1:]):
        is_so = show_shape(have) if have else "one number"
        raise DataError(f"{where} is {is_so} a sample, the training declares {show_shape(shape)}")
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32 is beyond all
            finite = np.isfinite(array.astype(np.float32, copy=False)).reshape(len(array), -1)
        if not finite.all():
            row = int(np.flatnonzero(~finite.all(axis=1))[0])
            raise DataError(f"{where} of sample {row:,} holds a number that is none (NaN or inf)")
    return ArraySource(array, shape, array.dtype == np.uint8)


def class_source(where: str, classes: int, array: NDArray[Any]) -> ClassSource:
    """A source of classes, each a whole number below `classes`; raises `DataError`."""
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1:
        raise DataError(f"{where} is {show_shape(array.shape[1:])} a sample, a class is one number")
    whole = flat.dtype.kind in "iub" or (np.isfinite(flat) & (flat == np.rint(flat)))
    if not np.all(whole):
        row = int(np.flatnonzero(~whole)[0])
        raise DataError(f"{where} of sample {row:,} is {flat[row]}, which is no whole number")
    outside = np.flatnonzero((flat < 0) | (flat >= classes))
    if len(outside):
        row = int(outside[0])
        most = f"; the largest is {int(flat.max())}" if flat.max() >= classes else ""
        raise DataError(
            f"{where} of sample {row:,} is {int(flat[row])}, "
            f"the training has class[{classes}]: 0 to {classes - 1}{most}"
        )
    return ClassSource(flat)


def stop(error: PictureError) -> None:
    """A broken picture ends the run."""
    raise DataError(f"{error}; --broken skip goes on without it")
