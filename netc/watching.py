"""Waiting for files to change."""

from __future__ import annotations

import select
import sys
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
    """Yield at once, then each time one of the files has changed; `files` is asked each time.

    Ends when nobody reads what is printed any more.
    """
    while True:
        seen = {path: stamp(path) for path in files()}
        yield
        seen = {path: stamp(path) for path in files()} | seen
        while all(stamp(path) == before for path, before in seen.items()):
            pause(INTERVAL)
            if not is_heard():
                return


def is_heard() -> bool:
    """Whether standard output has a reader, as far as the system can tell."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)  # only what is always told: errors and hang-ups
        return not poll.poll(0)
    except (AttributeError, OSError, ValueError):  # no such call here, or no such file
        return True
