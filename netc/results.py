"""The results of a run, printed or written as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from netc import writers
from netc.destination import Destination
from netc.entries import Telling, describe, write_table
from netc.errors import say
from runtime.batches import Batch
from runtime.files import write_whole


def report(
    batches: Iterator[Batch], where: Destination, told: Telling, names: Sequence[str]
) -> None:
    """Print or write the results of samples with these names."""
    if where.path is None:
        write_text(sys.stdout, batches, where, told, names)
        return
    if len(names) == 1:
        batches = described(batches, told)
    match where.form:
        case "npz":
            wrote = writers.write_npz(where.path, batches)
        case "npy":
            wrote = writers.write_npy(where.path, batches)
        case "parquet":
            wrote = writers.write_parquet(where.path, batches, told)
        case "picture":
            wrote = writers.write_pictures(where, batches, names)
        case _:
            wrote = write_text_file(where.path, batches, where, told, names)
    say(f"wrote {wrote} to {where.path}")


def described(batches: Iterator[Batch], told: Telling) -> Iterator[Batch]:
    """The same results, told on the way."""
    for batch in batches:
        for name, value in batch.outputs.items():
            say(describe(name, value, told))
        yield batch


def write_text(
    file: IO[str],
    batches: Iterator[Batch],
    where: Destination,
    told: Telling,
    names: Sequence[str],
) -> int:
    """The results as text; how many samples there were."""
    if where.form == "jsonl":
        return writers.write_jsonl(file, batches, told)
    if where.form == "csv":
        return writers.write_csv(file, batches, told)
    if len(names) > 1:
        return write_table(file, batches, told)
    for batch in batches:
        for name, value in batch.outputs.items():
            print(describe(name, value, told), file=file)
    return 1


def write_text_file(
    path: Path,
    batches: Iterator[Batch],
    where: Destination,
    told: Telling,
    names: Sequence[str],
) -> str:
    """The text forms in a file, whole or not at all."""
    counts: list[int] = []

    def write(target: Path) -> None:
        with target.open("w", encoding="utf-8", newline="") as file:
            counts.append(write_text(file, batches, where, told, names))

    write_whole(path, write)
    return writers.samples_text(counts[0])
