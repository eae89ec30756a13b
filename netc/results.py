"""The results of a run, printed or written as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from netc import writers
from netc.destination import Destination
from netc.errors import say
from netc.picture_results import write_pictures
from netc.top_classes import Ranking, describe, write_table
from runtime.batches import Batch
from runtime.files import write_whole


def report(
    batches: Iterator[Batch], where: Destination, ranking: Ranking, names: Sequence[str]
) -> None:
    """Print or write the results of samples with these names."""
    if where.path is None:
        write_text(sys.stdout, batches, where, ranking, names)
        return
    if len(names) == 1:
        batches = described(batches, ranking)
    match where.form:
        case "npz":
            wrote = writers.write_npz(where.path, batches)
        case "npy":
            wrote = writers.write_npy(where.path, batches)
        case "parquet":
            wrote = writers.write_parquet(where.path, batches, ranking)
        case "picture":
            wrote = write_pictures(where, batches, names)
        case _:
            wrote = write_text_file(where.path, batches, where, ranking, names)
    say(f"wrote {wrote} to {where.path}")


def described(batches: Iterator[Batch], ranking: Ranking) -> Iterator[Batch]:
    """The same results, told on the way."""
    for batch in batches:
        for name, value in batch.outputs.items():
            say(describe(name, value, ranking))
        yield batch


def write_text(
    file: IO[str],
    batches: Iterator[Batch],
    where: Destination,
    ranking: Ranking,
    names: Sequence[str],
) -> int:
    """The results as text; how many samples there were."""
    if where.form == "jsonl":
        return writers.write_jsonl(file, batches, ranking)
    if where.form == "csv":
        return writers.write_csv(file, batches, ranking)
    if len(names) > 1:
        return write_table(file, batches, ranking)
    for batch in batches:
        for name, value in batch.outputs.items():
            print(describe(name, value, ranking), file=file)
    return 1


def write_text_file(
    path: Path,
    batches: Iterator[Batch],
    where: Destination,
    ranking: Ranking,
    names: Sequence[str],
) -> str:
    """The text forms in a file, whole or not at all."""
    counts: list[int] = []

    def write(target: Path) -> None:
        with target.open("w", encoding="utf-8", newline="") as file:
            counts.append(write_text(file, batches, where, ranking, names))

    write_whole(path, write)
    return writers.samples_text(counts[0])
