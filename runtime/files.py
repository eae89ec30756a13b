"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: bytes | Callable[[Path], None]) -> None:
    """Write beside the target, flush to disk, then take its place in one step.

    `write` is the content, or a function that writes the file whose path it is given. On failure
    nothing is left and an older file stays as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        if isinstance(write, bytes):
            temporary.write_bytes(write)
        else:
            write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~current_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def current_umask() -> int:
    """The process's umask, which a temporary file does not follow by itself."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
