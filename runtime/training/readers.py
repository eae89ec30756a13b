"""Data as it lies on disk, by what a path is:

    X.npz                           an array a part, by name, samples along the first axis
    a folder of folders             pictures, each in the folder of its class
    a folder with train/ and val/   the same twice, or any of these forms
    X.csv, X.parquet                a column a part; pictures as paths beside the file
    *-images-idx3-ubyte[.gz]        MNIST's format, alone or a folder with the set
    *.bin                           CIFAR's binary batches, alone or a folder with the set

An element that a form cannot give (a vector beside the pictures of a folder) is told of.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import struct
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.files import open_regular
from compiler.training.model import Data
from grammar.diagnostics import did_you_mean
from runtime.arrays import LEAST_BOMB, MOST_PACKED, store_npz
from runtime.decode import SUFFIXES, PictureError
from runtime.files import no_file
from runtime.pictures import PictureInput
from runtime.training.samples import (
    DataError,
    PictureSource,
    Samples,
    SampleSource,
    all_of,
    array_source,
    class_source,
    stop,
)

Broken = Callable[[PictureError], None]
TRAIN_FOLDERS = ("train", "training")
HELD_OUT_FOLDERS = ("val", "valid", "validation", "test")
IDX = re.compile(r"(.*)-(images|labels)[-.]idx(\d)-ubyte(\.gz)?")
CIFAR_SIDES = (3, 32, 32)
MOST_AXES = 7  # of all samples together
IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


@dataclass(frozen=True)
class Opened:
    """The samples to train on, and those held out where the data itself holds some out."""

    train: Samples
    held_out: Samples | None = None


@dataclass(frozen=True)
class SampleReader:
    """What is read: the parts of a sample, and what is done about a broken picture."""

    parts: tuple[Data, ...]
    broken: Broken = stop

    # ── forms ────────────────────────────────────────────────────────────────────────────────

    def open(self, path: Path) -> Opened:
        """The data at a path; raises `DataError`."""
        if path.is_dir():
            return self.folder(path)
        if not path.is_file():
            raise DataError(no_file(path))
        if path.suffix == ".npz":
            return Opened(self.npz(path))
        if path.suffix == ".csv":
            return Opened(self.table(path, csv_columns(path)))
        if path.suffix == ".parquet":
            return Opened(self.table(path, parquet_columns(path)))
        if IDX.fullmatch(path.name):
            return Opened(self.idx(path))
        if path.suffix == ".bin":
            return Opened(self.cifar([path]))
        raise DataError(
            f"{path} is no data that can be read: there are .npz, .csv, .parquet, idx and CIFAR "
            ".bin files, and folders of pictures by class"
        )

    def folder(self, path: Path) -> Opened:
        """A folder: of a data set's files, of a train and a held-out part, or of classes."""
        names = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
        images = [n for n in names if (m := IDX.fullmatch(n)) and m[2] == "images"]
        if images:
            tests = [n for n in images if n.startswith(("t10k", "test", "val"))]
            train = [n for n in images if n not in tests]
            if len(train) != 1:
                raise DataError(f"{path} has {len(train)} idx files of training images, not one")
            return Opened(self.idx(path / train[0]), self.idx(path / tests[0]) if tests else None)
        batches = [path / n for n in names if n.endswith(".bin")]
        if batches:
            held_out = [file for file in batches if file.name.startswith("test")]
            train_files = [file for file in batches if file not in held_out]
            if not train_files:
                raise DataError(f"{path} has no batches to train on, only {held_out[0].name}")
            return Opened(self.cifar(train_files), self.cifar(held_out) if held_out else None)
        inner = next((path / n for n in TRAIN_FOLDERS if n in names), None)
        if inner is not None:
            other = next((path / n for n in HELD_OUT_FOLDERS if n in names), None)
            held = None if other is None else self.open(other).train
            return Opened(self.open(inner).train, held)
        return Opened(self.classes(path))

    def npz(self, path: Path) -> Samples:
        """An array for each part, by its name."""
        stored = store_npz(path)
        sources = {}
        for part in self.parts:
            check_there(path, "array", part.name, stored)
            sources[part.name] = array_source(str(path), part, stored[part.name].read())
        return all_of(str(path), sources)

    def idx(self, path: Path) -> Samples:
        """Images, and their labels beside them (LeCun's format)."""
        picture, label = self.pair(str(path))
        found = IDX.fullmatch(path.name)
        assert found is not None
        if found[2] == "labels":
            raise DataError(f"{path} holds labels: name the file of the images")
        sources: dict[str, SampleSource] = {}
        if picture is not None:
            sources[picture.name] = array_source(str(path), picture, read_idx(path))
        if label is not None:
            sources[label.name] = array_source(str(path), label, read_idx(labels_of(path)))
        return all_of(str(path), sources)

    def cifar(self, paths: Sequence[Path]) -> Samples:
        """CIFAR-10 and CIFAR-100: label bytes, then 3,072 bytes of red, green and blue."""
        picture, label = self.pair(str(paths[0]))
        coarse = 2 if paths[0].name in ("train.bin", "test.bin") else 1
        rows = np.concatenate([read_cifar(path, coarse) for path in paths])
        name = str(paths[0]) if len(paths) == 1 else str(paths[0].parent)
        sources: dict[str, SampleSource] = {}
        if picture is not None:
            pixels = rows[:, coarse:].reshape(-1, *CIFAR_SIDES)
            sources[picture.name] = array_source(name, picture, pixels)
        if label is not None:
            sources[label.name] = array_source(name, label, rows[:, coarse - 1])
        return all_of(name, sources)

    def classes(self, path: Path) -> Samples:
        """Pictures in folders that are named for their classes, in alphabetical order."""
        picture, label = self.pair(str(path))
        folders = sorted(f for f in path.iterdir() if f.is_dir() and not f.name.startswith("."))
        files: list[Path] = []
        numbers: list[int] = []
        for number, folder in enumerate(folders or [path]):
            inside = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)
            files += inside
            numbers += [number] * len(inside)
        if not files:
            raise DataError(f"{path} has no pictures in it")
        sources: dict[str, SampleSource] = {}
        if picture is not None:
            sources[picture.name] = self.picture_source(picture, files)
        if label is not None:
            if not folders:
                raise DataError(
                    f"{path} has pictures but no folders: `{label.name}` is named by the folder"
                )
            if label.classes is not None and len(folders) > label.classes:
                raise DataError(
                    f"{path} has {len(folders)} folders, the training has class[{label.classes}]"
                )
            sources[label.name] = class_source(str(path), label.classes or 0, np.array(numbers))
        return all_of(str(path), sources)

    def picture_source(self, part: Data, files: Sequence[Path]) -> PictureSource:
        """Pictures in files, for a part that they can become."""
        wanted = PictureInput(part.shape, part.picture)
        complaint = wanted.clause.complaint(part.shape)
        if complaint is not None:
            raise DataError(f"`{part.name}` is no picture: {complaint}")
        return PictureSource(files, wanted, self.broken)

    def pair(self, name: str) -> tuple[Data | None, Data | None]:
        """The picture and the class, which is all that some forms have; raises `DataError`."""
        pictures = [part for part in self.parts if part.classes is None]
        labels = [part for part in self.parts if part.classes is not None]
        for several, what in ((pictures, "picture"), (labels, "class")):
            if len(several) > 1:
                rendered = " and ".join(f"`{part.name}`" for part in several)
                raise DataError(f"{name} has one {what} a sample, the training wants {rendered}")
        return next(iter(pictures), None), next(iter(labels), None)

    # ── tables ───────────────────────────────────────────────────────────────────────────────

    def table(self, path: Path, columns: dict[str, list[Any]]) -> Samples:
        """A column for each part: paths of pictures, numbers, classes by number or name."""
        sources: dict[str, SampleSource] = {}
        for part in self.parts:
            check_there(path, "column", part.name, columns)
            sources[part.name] = self.column(path, part, columns[part.name])
        return all_of(str(path), sources)

    def column(self, path: Path, part: Data, values: list[Any]) -> SampleSource:
        """One column as a source; raises `DataError` with the row at fault."""
        if part.classes is not None:
            where = f"{path}: {part.name}"
            return class_source(where, part.classes, class_numbers(where, values))
        if len(part.shape) == 3 and all(isinstance(value, str) for value in values):
            files = [path.parent / value for value in values]
            return self.picture_source(part, files)
        rows = []
        for row, value in enumerate(values):
            if not is_numbers(value):
                raise DataError(
                    f"{path}: {part.name} of sample {row:,} is no number, nor numbers with spaces: "
                    f"{value!r:.60}"
                )
            rows.append(numbers_of(value))
            if len(rows[-1]) != len(rows[0]):
                raise DataError(
                    f"{path}: {part.name} of sample {row:,} has {len(rows[-1])} numbers, "
                    f"the first has {len(rows[0])}"
                )
        array = np.array(rows)
        fits = array.shape[1] == math.prod(part.shape)
        return array_source(str(path), part, array.reshape(-1, *part.shape) if fits else array)


def numbers_of(value: Any) -> list[float]:
    """A cell as numbers: one, a list, or several in a text with spaces between them."""
    if isinstance(value, str):
        return [float(word) for word in value.split()]
    return [float(v) for v in value] if isinstance(value, list | tuple) else [float(value)]


def is_numbers(value: Any) -> bool:
    """Whether a cell holds numbers."""
    try:
        return bool(numbers_of(value))
    except (TypeError, ValueError, OverflowError):
        return False


def class_numbers(where: str, values: list[Any]) -> NDArray[Any]:
    """Classes as numbers; names count in alphabetical order. Raises `DataError`."""
    if all(isinstance(value, str) and not is_numbers(value) for value in values):
        names = {name: number for number, name in enumerate(sorted(set(values)))}
        return np.array([names[value] for value in values])
    for row, value in enumerate(values):
        if not is_numbers(value) or len(numbers_of(value)) != 1:
            raise DataError(f"{where} of sample {row:,} is no class: {value!r:.60}")
    return np.array([numbers_of(value)[0] for value in values])


def csv_columns(path: Path) -> dict[str, list[Any]]:
    """The columns of a CSV file with a row of names."""
    try:
        with open_regular(path) as binary:
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            rows = list(csv.DictReader(text, strict=True))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not rows:
        raise DataError(f"{path} has no rows below its names")
    for number, row in enumerate(rows):
        if None in row or None in row.values():
            raise DataError(f"{path}: sample {number:,} has not as many columns as there are names")
    return {name: [row[name] for row in rows] for name in rows[0]}


def check_there(path: Path, what: str, name: str, known: Collection[str]) -> None:
    """Raise `DataError` unless a file has an array or a column called so."""
    if name not in known:
        near = did_you_mean(name, known)
        raise DataError(
            f"{path} has no {what} {name}; it has {', '.join(known) or 'none'}"
            + (f"; {near}" if near else "")
        )


def parquet_columns(path: Path) -> dict[str, list[Any]]:
    """The columns of a Parquet file."""
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        remedy = "pip install '.[parquet]' in a checkout of netc"
        raise DataError(f"{path} needs pyarrow: {remedy}") from None
    try:
        with open_regular(path) as stream, parquet.ParquetFile(stream) as file:
            batches, size = [], 0
            for batch in file.iter_batches():
                batches.append(batch)
                size += batch.nbytes
                check_packed(path, size)
            table = arrow.Table.from_batches(batches, file.schema_arrow)
        found: dict[str, list[Any]] = table.to_pydict()
    except DataError:
        raise
    except Exception as error:  # a broken file makes it raise nearly anything
        raise DataError(f"{path} cannot be read: {error}") from None
    return found


# ── binary files ─────────────────────────────────────────────────────────────────────────────


def read_idx(path: Path) -> NDArray[Any]:
    """The array of an idx file, gzipped or not; raises `DataError`.

    Two zero bytes, the type, the number of axes, their sizes in four bytes each, the numbers.
    """
    try:
        with open_regular(path) as file:
            stream = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
            head = stream.read(4)
            kind = IDX_TYPES.get(head[2]) if len(head) == 4 and head[:2] == b"\0\0" else None
            if kind is None:
                raise DataError(f"{path} is no idx file")
            rank = head[3]
            sizes = struct.unpack(f">{rank}I", stream.read(4 * rank))
            if rank > MOST_AXES or 0 in sizes:
                raise DataError(f"{path} holds no samples: its sizes are {shown(sizes)}")
            wanted = math.prod(sizes) * np.dtype(kind).itemsize
            check_packed(path, wanted)
            content = stream.read(wanted + 1)
    except struct.error:
        raise DataError(f"{path} is cut short in its head") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if len(content) != wanted:
        held = f"{len(content):,}" if len(content) < wanted else "more"
        raise DataError(f"{path} claims {wanted:,} bytes of numbers and holds {held}")
    return np.frombuffer(content, kind).reshape(sizes)


def shown(sizes: Sequence[int]) -> str:
    """Sizes in words, the first of them where they are more than any tensor has."""
    first = ", ".join(map(str, sizes[:MOST_AXES]))
    return f"{first}, … ({len(sizes)} axes)" if len(sizes) > MOST_AXES else first


def check_packed(path: Path, size: int) -> None:
    """Raise `DataError` for far more bytes than a file can well hold, as a bomb has."""
    held = path.stat().st_size
    if size > LEAST_BOMB and size > MOST_PACKED * held:
        raise DataError(f"{path}: {held:,} bytes would unpack to {size:,} or more: not read")


def labels_of(images: Path) -> Path:
    """The idx file of the labels beside the one of the images; raises `DataError`."""
    found = IDX.fullmatch(images.name)
    assert found is not None
    for beside in images.parent.iterdir():
        other = IDX.fullmatch(beside.name)
        if other is not None and other[1] == found[1] and other[2] == "labels":
            return beside
    raise DataError(f"beside {images} there is no file of its labels, {found[1]}-labels-idx1-ubyte")


def read_cifar(path: Path, coarse: int) -> NDArray[np.uint8]:
    """The rows of one of CIFAR's binary batches; raises `DataError`."""
    row = coarse + 3072
    try:
        with open_regular(path) as file:
            content = np.frombuffer(file.read(), np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not len(content) or len(content) % row:
        raise DataError(f"{path} is no CIFAR batch: {len(content):,} bytes, not rows of {row:,}")
    return content.reshape(-1, row)
