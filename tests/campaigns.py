"""Campaigns from the command line: many inputs, and a file for each that fails."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Failure:
    """An input and what went wrong with it."""

    content: bytes
    reason: str


def campaign(
    what: str | None,
    failures: Callable[[int, int], Iterator[Failure]],
    file: Callable[[int, int], str],
) -> int:
    """Try as many inputs as the command line says; its exit code.

    `failures` takes a count and a seed; `file` names the file of a failure by the seed and its
    number.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = 0
    for failure in failures(options.count, options.seed):
        found += 1
        name = file(options.seed, found)
        Path(name).write_bytes(failure.content)
        print(f"{name}: {failure.reason}", flush=True)
    print(f"{options.count} inputs, {found} failures")
    return 1 if found else 0
