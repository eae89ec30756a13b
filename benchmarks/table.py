"""The one table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.measure import Row, Timing

COLUMNS = ("benchmark", "ours", "min", "median", "against", "min", "median", "ratio", "bound", "")


def print_table(rows: Iterable[Row]) -> None:
    """Every row, ours left, the yardstick right, then the ratio and whether it keeps its bound."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, title in enumerate(COLUMNS):
        justify: Any = "left" if index in (0, 1, 4, 9) else "right"
        table.add_column(title, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*cells(row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=200)
    console.print(table)


def cells(row: Row) -> list[str | Text]:
    """One row as text; the verdict is green or red on a terminal."""
    if row.ours is None:
        return [row.name, f"skipped: {row.skipped}"]
    against = timing_cells(row.yardstick) if row.yardstick is not None else ["", "", ""]
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    said = Text(verdict(row), style="green" if row.ok else "bold red")
    return [row.name, *timing_cells(row.ours), *against, ratio, bound_text(row), said]


def timing_cells(timing: Timing) -> list[str]:
    """What was timed, its least and its median."""
    return [timing.what, amount(timing.least, timing.unit), amount(timing.middle, timing.unit)]


def amount(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{value:.3f} {unit}" if unit == "s" else f"{value:.1f} {unit}"


def bound_text(row: Row) -> str:
    """What the ratio, or our own time, must not exceed."""
    if row.bound is None or row.ours is None:
        return ""
    return f"{row.bound:.3f}" if row.ratio is not None else amount(row.bound, row.ours.unit)


def verdict(row: Row) -> str:
    """Whether the row keeps its bound."""
    return {None: "", True: "ok", False: "not ok"}[row.ok]


def as_json(rows: Iterable[Row]) -> str:
    """The rows for a program."""
    return json.dumps([plain(row) for row in rows], indent=2)


def plain(row: Row) -> dict[str, Any]:
    """One row as data."""
    sides = {
        side: None
        if timing is None
        else {
            "what": timing.what,
            "unit": timing.unit,
            "min": timing.least,
            "median": timing.middle,
            "runs": list(timing.values),
        }
        for side, timing in (("ours", row.ours), ("yardstick", row.yardstick))
    }
    return {
        "name": row.name,
        **sides,
        "ratio": row.ratio,
        "bound": row.bound,
        "ok": row.ok,
        "skipped": row.skipped,
    }
