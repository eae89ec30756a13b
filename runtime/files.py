"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed process left is not swept up there
    fcntl = None  # type: ignore[assignment]


def write_whole(path: Path, write: bytes | Callable[[Path], None]) -> None:
    """Write beside the target, flush to disk, then take its place in one step.

    `write` is the content, or a function that writes the file whose path it is given. On failure
    nothing is left and an older file stays as it was; what a killed process left half written for
    this target is removed. Raises `OSError`, as `place_of` does.
    """
    place = place_of(path)
    sweep(place)
    try:
        with temporary_beside(place) as temporary:
            if isinstance(write, bytes):
                temporary.write_bytes(write)
            else:
                write(temporary)
            flush(temporary)
            temporary.chmod(0o666 & ~current_umask())
            temporary.replace(place)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say for whom
        raise
    if os.name == "posix":
        flush(place.parent)


def no_file(path: Path | str) -> str:
    """What is said of a path that is to be read and is no file."""
    if Path(path).exists():
        return f"{path} is a folder, a device or a pipe, not a file"
    return f"there is no file {path}"


def place_of(path: Path) -> Path:
    """Where a file for `path` is written: a symbolic link stays, what it points to is replaced.

    Raises `OSError` where there is no such folder, and for what a file must not replace: a folder,
    a device such as /dev/null, a pipe.
    """
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "device or pipe"
        raise OSError(errno.EINVAL, f"a {kind} is not replaced by a file", str(path))
    place = path.resolve() if path.is_symlink() else path
    if not place.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(place.parent))
    return place


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """A new file in the target's folder, locked while it is written, gone in the end."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    with contextlib.ExitStack() as stack:
        stack.callback(Path(name).unlink, missing_ok=True)
        if fcntl is None:  # Windows neither locks so nor replaces a file that is open
            os.close(handle)
        else:
            stack.callback(os.close, handle)
            with contextlib.suppress(OSError):  # not on every network drive
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield Path(name)


def sweep(path: Path) -> None:
    """Remove the temporary files of this target, and of data beside it, that no process holds."""
    if fcntl is None:
        return
    name = re.escape(path.name)
    ours = re.compile(rf"\.{name}\.([0-9a-f]{{16}}\.data\.)?\w{{8}}\.\w+")
    for beside in path.parent.iterdir():
        if ours.fullmatch(beside.name):
            with contextlib.suppress(OSError), beside.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                beside.unlink()


def flush(path: Path) -> None:
    """Make what is written to a file, or what a folder lists, survive a power cut."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def current_umask() -> int:
    """The process's umask, which a temporary file does not follow by itself."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
