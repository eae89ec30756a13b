"""Waiting for files to change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

INTERVAL = 0.2  # seconds between two looks


def stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is written: time in nanoseconds, and size. (0, 0) if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def changes(
    files: Callable[[], Iterable[Path]], pause: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Yield at once, then each time one of the files has changed; `files` is asked each time."""
    while True:
        seen = {path: stamp(path) for path in files()}
        yield
        seen = {path: stamp(path) for path in files()} | seen
        while all(stamp(path) == before for path, before in seen.items()):
            pause(INTERVAL)
