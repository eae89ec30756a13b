"""Results as pictures: one a sample in a folder, or all in one; many maps side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netc.destination import Destination
from runtime.batches import Batch
from runtime.errors import CallError
from runtime.files import reasons, refuse_inputs
from runtime.pictures import write_picture

CHANNELS = (1, 3, 4)  # of a picture; others are maps, each a grey picture
MOST = 1024  # samples in one picture
GAP = 2  # pixels between those side by side


def write_pictures(where: Destination, batches: Iterator[Batch], names: Sequence[str]) -> str:
    """The first output that can be seen, of all samples in one picture or of each in a folder."""
    assert where.path is not None
    if where.path.suffix and not where.path.is_dir():
        return write_one(where.path, where, batches, names)
    stems = [stem_of(name) for name in names]
    repeated = [stem for stem, count in Counter(stems).items() if count > 1]
    if repeated:
        raise CallError(f"several samples are called {repeated[0]}, their pictures would be one")
    paths = [where.path / f"{stem}.png" for stem in stems]
    refuse_inputs(paths, names)
    output, clipped, size, done = "", 0, 0, 0
    for batch in batches:
        output = picture_like(batch)
        if not done:  # not before there is something to write
            with reasons(where.path):
                where.path.mkdir(parents=True, exist_ok=True)
        for row in batch.outputs[output]:
            clipped += write_row(paths[done], seen(row), where)
            size += row.size
            done += 1
    return note(where, output, done, clipped, size)


def write_one(
    path: Path, where: Destination, batches: Iterator[Batch], names: Sequence[str]
) -> str:
    """All samples in one picture, in rows of about equal length."""
    if len(names) > MOST:
        raise CallError(f"a picture shows at most {MOST:,} samples: give --out a folder")
    refuse_inputs([path], names)
    output, rows = "", list[NDArray[Any]]()
    for batch in batches:
        output = picture_like(batch)
        rows += [seen(row) for row in batch.outputs[output]]
    if len({row.shape for row in rows}) > 1:
        raise CallError("the samples have different sizes: give --out a folder")
    clipped = write_row(path, grid(np.stack(rows)), where)
    return note(where, output, len(rows), clipped, sum(row.size for row in rows))


def note(where: Destination, output: str, samples: int, clipped: int, size: int) -> str:
    """What was written, and how much of it lay outside the range."""
    text = f"{output} of {samples:,} samples" if samples > 1 else output
    if clipped and not where.auto:
        text += (
            f" ({clipped / size:.1%} of the values lay outside {where.low:g}..{where.high:g} and "
            "were clipped)"
        )
    return text


def write_row(path: Path, row: NDArray[Any], where: Destination) -> int:
    """One picture; how many of its values were clipped. NaN, between tiles, is black."""
    low, high = where.low, where.high
    if where.auto:
        finite = row[np.isfinite(row)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        high = high if high > low else low + 1
    return write_picture(path, row, low, high)


def seen(row: NDArray[Any]) -> NDArray[Any]:
    """A sample's tensor [C, H, W] as one picture: maps side by side where they are no colours."""
    return row if row.shape[0] in CHANNELS else grid(row[:, None])


def grid(pictures: NDArray[Any]) -> NDArray[Any]:
    """Pictures [N, C, H, W] side by side as one, [C, H', W']; one alone as it is."""
    count, channels, height, width = pictures.shape
    if count == 1:
        return np.asarray(pictures[0])
    columns = min(count, ceil(sqrt(count * height / width)))
    rows = ceil(count / columns)
    size = (channels, rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    found = np.full(size, np.nan)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        top, left = row * (height + GAP), column * (width + GAP)
        found[:, top : top + height, left : left + width] = picture
    return found


def stem_of(name: str) -> str:
    """The name of a sample's picture: `a` for `photos/a.jpg`, `x_3` for `x.npy[3]`."""
    file, bracket, index = Path(name).name.removesuffix("]").partition("[")
    return f"{Path(file).stem}_{index}" if bracket and name.endswith("]") else Path(name).stem


def picture_like(batch: Batch) -> str:
    """The first output of 1, 3 or 4 channels, else the first one of maps; raises `CallError`."""
    found = [name for name, value in batch.outputs.items() if value.ndim == 4]
    pictures = [name for name in found if batch.outputs[name].shape[1] in CHANNELS]
    for name in [*pictures, *found]:
        return name
    raise CallError("no output is a picture or maps; write an .npz")
