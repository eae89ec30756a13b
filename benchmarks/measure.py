"""Timing: whole processes and functions in turn, so that a busy machine slows all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

THREADS = 2  # of everything that computes with several
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    """How often to measure, and the Python that has torch; `busy`: processor time of one thread."""

    runs: int = 7
    torch: str = sys.executable
    busy: bool = False


@dataclass(frozen=True)
class Timing:
    """The seconds (or other amounts) of one side, run by run."""

    what: str
    values: tuple[float, ...]
    unit: str = "s"

    @property
    def least(self) -> float:
        """The run that was disturbed least."""
        return min(self.values)

    @property
    def middle(self) -> float:
        """The median run."""
        return median(self.values)


@dataclass(frozen=True)
class Row:
    """One line of the table: ours against a yardstick, or against a bound of its own.

    With a yardstick the ratio is the median over the runs of ours / yardstick, and `bound` is the
    most it may be; without one, `bound` is the most that our own median may be. Without a bound
    the row reports only. A `skipped` row says why nothing was measured.
    """

    name: str
    ours: Timing | None = None
    yardstick: Timing | None = None
    bound: float | None = None
    skipped: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours / yardstick, of runs that stood next to each other."""
        if self.ours is None or self.yardstick is None:
            return None
        pairs = zip(self.ours.values, self.yardstick.values, strict=True)
        return median(a / b for a, b in pairs)

    @property
    def ok(self) -> bool | None:
        """Whether the bound is kept; None when there is none, or nothing was measured."""
        if self.bound is None or self.ours is None:
            return None
        return (self.ours.middle if self.ratio is None else self.ratio) <= self.bound


def in_turn(actions: Mapping[str, Callable[[], float]], runs: int) -> dict[str, tuple[float, ...]]:
    """What each action gives, A B C A B C …, after a first round that does not count."""
    found: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(runs + 1):
        for name, action in actions.items():
            value = action()
            if turn:
                found[name].append(value)
    return {name: tuple(values) for name, values in found.items()}


def clocked(action: Callable[[], Any]) -> Callable[[], float]:
    """An action that gives the seconds it took."""

    def timed() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return timed


def surroundings() -> dict[str, str]:
    """The variables of a process whose modules are kept as bytecode, as installed ones are."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def process(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a whole process from the repository's root; it must succeed."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )


def netc(*arguments: str | Path) -> Callable[[], float]:
    """The seconds of a whole `netc` process."""
    return clocked(lambda: process(sys.executable, "-m", "netc", *arguments))


@cache
def lacks(python: str, modules: Sequence[str]) -> str:
    """Why this Python cannot do what needs these modules; empty when it can."""
    code = f"import importlib.util, json; print(json.dumps([m for m in {list(modules)!r} "
    code += "if importlib.util.find_spec(m) is None]))"
    missing = json.loads(process(python, "-c", code).stdout)
    return f"no {', '.join(missing)} (see benchmarks/README.md)" if missing else ""
