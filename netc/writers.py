"""Results in files and on standard output: JSON lines, CSV, .npy, .npz, Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from grammar.diagnostics import printable
from netc.top_classes import RankedClass, Ranking, figures, is_vector, top_classes
from runtime.arrays import save_array, save_arrays
from runtime.batches import Batch, collect
from runtime.errors import CallError, MachineError
from runtime.files import write_whole


def samples_text(count: int) -> str:
    """So many samples, in words."""
    return "1 sample" if count == 1 else f"{count:,} samples"


def write_jsonl(file: IO[str], batches: Iterator[Batch], ranking: Ranking) -> int:
    """A line for each sample; how many there were.

    `{"sample": "a.jpg", "outputs": {"probs": {"shape": [1000], "min": …, "max": …, "mean": …,
    "top": [{"class": 7, "label": "…", "value": …}]}}}`; only a vector has `top`.
    """
    count = 0
    for batch in batches:
        for index, sample in enumerate(batch.names):
            outputs = {
                name: record(name, value[index], ranking) for name, value in batch.outputs.items()
            }
            print(json.dumps({"sample": sample, "outputs": outputs}), file=file)
            count += 1
    return count


def record(output: str, row: NDArray[Any], ranking: Ranking) -> dict[str, Any]:
    """One sample's output for JSON lines; what is no finite number becomes null."""
    found: dict[str, Any] = {"shape": list(row.shape), **figures(row)}
    if is_vector(row):
        found["top"] = [ranked.as_dict() for ranked in top_classes(output, row, ranking)]
        for ranked in found["top"]:
            ranked["value"] = finite(ranked["value"])
    return {key: finite(value) for key, value in found.items()}


def finite(value: Any) -> Any:
    """A value as JSON has it, which knows neither infinity nor NaN."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_csv(file: IO[str], batches: Iterator[Batch], ranking: Ranking) -> int:
    """A row for each entry: sample, output, rank, class, label, value. Maps have no rows.

    Raises `CallError` where no output is a vector.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("sample", "output", "rank", "class", "label", "value"))
    count = 0
    for batch in batches:
        if not any(is_vector(value[0]) for value in batch.outputs.values()):
            raise CallError("no output is a vector, and CSV holds those; write .npz or pictures")
        for index, sample in enumerate(batch.names):
            count += 1
            for output, value in batch.outputs.items():
                if is_vector(value[index]):
                    writer.writerows(
                        map(printable, (sample, output, str(e.rank), *cells_of(e)))
                        for e in top_classes(output, value[index], ranking)
                    )
    return count


def cells_of(ranked: RankedClass) -> tuple[str, str, str]:
    """What is said of an entry: class, label, value."""
    return str(ranked.index), ranked.label, f"{ranked.value:.9g}"


def write_npz(path: Path, batches: Iterator[Batch]) -> str:
    """Every output whole, by name, batch first; says what was written."""
    arrays = collect(batches)
    save_arrays(path, arrays)
    return ", ".join(arrays)


def write_npy(path: Path, batches: Iterator[Batch]) -> str:
    """The one output whole, batch first; raises `CallError` when there are several."""
    arrays = collect(batches)
    if len(arrays) != 1:
        raise CallError(f"an .npy holds one output, here are {', '.join(arrays)}: write an .npz")
    ((name, array),) = arrays.items()
    save_array(path, array)
    return name


def write_parquet(path: Path, batches: Iterator[Batch], ranking: Ranking) -> str:
    """A row for each sample: its name, each output as a list of numbers, a vector's best class.

    The shape of an output is in its column's metadata. Raises `MachineError` without pyarrow.
    """
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError:
        raise MachineError(
            "Parquet files need pyarrow, which is not installed",
            "pip install '.[parquet]' in a checkout of netc",
        ) from None
    count = 0

    def write(target: Path) -> None:
        nonlocal count
        writer = None
        for batch in batches:
            table = arrow_table(arrow, batch, ranking)
            writer = writer or parquet.ParquetWriter(target, table.schema)
            if table.schema != writer.schema:
                raise CallError("the samples have different sizes: a column has one")
            writer.write_table(table)
            count += len(batch.names)
        if writer is not None:
            writer.close()

    write_whole(path, write)
    return samples_text(count)


def arrow_table(arrow: Any, batch: Batch, ranking: Ranking) -> Any:
    """A batch as a table of pyarrow."""
    columns = {"sample": arrow.array(batch.names, arrow.string())}
    fields = [arrow.field("sample", arrow.string())]
    for output, value in batch.outputs.items():
        flat = np.ascontiguousarray(value).reshape(len(value), -1)
        numbers = arrow.array(flat.reshape(-1))
        columns[output] = arrow.FixedSizeListArray.from_arrays(numbers, flat.shape[1])
        shape = json.dumps(list(value.shape[1:]))
        fields.append(arrow.field(output, columns[output].type, metadata={"shape": shape}))
        if is_vector(value[0]):
            best = [top_classes(output, row, Ranking(ranking.labels, 1))[0] for row in value]
            columns[f"{output}.class"] = arrow.array([e.index for e in best], arrow.int64())
            columns[f"{output}.label"] = arrow.array([e.label for e in best], arrow.string())
            fields += [
                arrow.field(f"{output}.class", arrow.int64()),
                arrow.field(f"{output}.label", arrow.string()),
            ]
    return arrow.table(list(columns.values()), schema=arrow.schema(fields))
