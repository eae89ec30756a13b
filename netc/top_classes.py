"""Results as a person reads them: the largest entries of a vector, figures of a map, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from compiler.ops.shapes import class_axis
from grammar.diagnostics import printable
from netc.tabular import Page
from runtime.batches import Batch

Labels: TypeAlias = tuple[str, ...]
WIDTH = 120  # of a table that goes to a file
MOST_NUMBERS, MOST_COLUMNS = 144, 14  # of a tensor that is printed whole


@dataclass(frozen=True)
class Ranking:
    """What is told of a vector: the class names by output, and how many entries."""

    labels: Mapping[str, Labels]
    top: int = 5


@dataclass(frozen=True)
class RankedClass:
    """One of the largest entries of a vector; `label` is "" where classes have no names."""

    rank: int
    index: int
    label: str
    value: float

    def as_dict(self) -> dict[str, Any]:
        """The form in JSON lines."""
        named = {"label": self.label} if self.label else {}
        return {"class": self.index, **named, "value": self.value}


def is_vector(row: NDArray[Any]) -> bool:
    """Whether one sample's output is a vector, or a map of a single pixel."""
    return row.ndim > 0 and row.size == row.shape[0]


def top_classes(output: str, row: NDArray[Any], ranking: Ranking) -> list[RankedClass]:
    """The largest entries of one sample's vector, ties in the order of the classes."""
    vector = row.reshape(-1)
    names = ranking.labels.get(output, ())
    # In float64: a small whole number or a bool has no negative of its own type.
    order = np.argsort(-vector.astype(np.float64), kind="stable")[: ranking.top]
    return [
        RankedClass(rank, int(i), names[i] if i < len(names) else "", float(vector[i]))
        for rank, i in enumerate(order, start=1)
    ]


def shown_classes(output: str, row: NDArray[Any], ranking: Ranking) -> list[str]:
    """The classes of a map [K, H, W] by the pixels they win, those of a table by their best row."""
    axis = class_axis(row.shape)
    names = ranking.labels[output]
    if axis:
        best = row.max(axis=0)
        rows = row.argmax(axis=0)
        order = np.argsort(-best, kind="stable")[: ranking.top]
        return [f"{names[i]}  {best[i]:.6f} at row {rows[i]}" for i in order]
    counts = np.bincount(row.argmax(axis=0).reshape(-1), minlength=len(names))
    order = np.argsort(-counts, kind="stable")[: ranking.top]
    return [f"{names[i]}  {counts[i] / counts.sum():.1%} of the pixels" for i in order if counts[i]]


def figures(value: NDArray[Any]) -> dict[str, float]:
    """The least, greatest and mean value; none of an empty array."""
    if not value.size:
        return {}
    with np.errstate(all="ignore"):  # infinities of both signs have no mean, and that is told
        mean = float(value.mean())
    return {"min": float(value.min()), "max": float(value.max()), "mean": mean}


def describe(output: str, value: NDArray[Any], ranking: Ranking) -> str:
    """One output of a batch: its size and figures, the largest entries or the classes."""
    sizes = "x".join(map(str, value.shape[1:])) or "number"
    rendered = f"{output}: {sizes}, batch {value.shape[0]}"
    found = figures(value)
    if found:
        rendered += f", from {found['min']:.4g} to {found['max']:.4g}, mean {found['mean']:.4g}"
    lines = [rendered]
    if value[:1].size > 1 and is_vector(value[0]):
        lines += [
            f"  {ranked.rank}. {ranked.label or f'class {ranked.index}'}  {ranked.value:.6f}"
            for row in value
            for ranked in top_classes(output, row, ranking)
        ]
    elif value.ndim > 2 and value.size and output in ranking.labels:
        for row in value:
            listed = enumerate(shown_classes(output, row, ranking), start=1)
            lines += [f"  {place}. {text}" for place, text in listed]
    elif value[:1].size > 1:
        lines += [line for row in value for line in matrix(row)]
    return "\n".join(map(printable, lines))


def matrix(row: NDArray[Any]) -> list[str]:
    """A small tensor as rows of numbers, one map below the other; nothing of a larger one."""
    if row.ndim not in (2, 3) or row.size > MOST_NUMBERS or row.shape[-1] > MOST_COLUMNS:
        return []
    maps = row if row.ndim == 3 else row[None]
    texts = [[[f"{number:.4g}" for number in line] for line in one] for one in maps]
    width = max(len(text) for one in texts for line in one for text in line)
    lines: list[str] = []
    for place, one in enumerate(texts):
        lines += [""] if place else []
        lines += ["  " + " ".join(f"{text:>{width}}" for text in line) for line in one]
    return lines


def write_table(file: IO[str], batches: Iterator[Batch], ranking: Ranking) -> int:
    """A table with the entries of every vector and the figures of every map; counts samples."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("sample", "output", "rank", "class", "value"):
        table.add_column(name, justify="right" if name in ("rank", "value") else "left")
    count = 0
    for batch in batches:
        count += len(batch.names)
        for index, sample in enumerate(batch.names):
            for cells in table_rows(batch, index, ranking):
                table.add_row(*map(printable, (sample, *cells)))
                sample = ""
    console = Page(file=file, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)
    return count


def table_rows(batch: Batch, index: int, ranking: Ranking) -> list[tuple[str, str, str, str]]:
    """The cells of one sample: output, rank, class and value."""
    rows: list[tuple[str, str, str, str]] = []
    for output, value in batch.outputs.items():
        row = value[index]
        if is_vector(row):
            rows += [
                (output, str(e.rank), e.label or str(e.index), f"{e.value:.6f}")
                for e in top_classes(output, row, ranking)
            ]
            continue
        rendered = ", ".join(f"{name} {number:.4g}" for name, number in figures(row).items())
        rows.append((output, "", "x".join(map(str, row.shape)), rendered))
    return rows
