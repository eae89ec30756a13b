"""The door to every file that is written: it appears whole or not at all, or a message says why.

A file is written beside its place under a hidden name, flushed to disk, and takes the place in one
step. While it is written it is locked: what nobody holds was left by a process that was killed, and
the next that writes such a file sweeps it up.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runtime.errors import CallError, MachineError

try:
    import fcntl
except ImportError:  # Windows: what a killed process left is not swept up there
    fcntl = None  # type: ignore[assignment]

HIDDEN = ".netc-"
SCRATCH = "netc-scratch-"
LOCK = "lock"  # the file of a scratch folder that is locked
LONGEST_SUFFIX = 32  # bytes of it that a hidden name repeats: a name has room for 255
BY_TRAINING = {".safetensors", ".csv", ".svg", ".png"}  # ends of the names that a training writes
LIVING: set[Path] = set()  # what this process has not finished yet
FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}

Write = bytes | Callable[[Path], None]


def write_whole(path: Path, write: Write) -> None:
    """Write a file, whole or not at all: on failure an older one stays as it was.

    `write` is the content, or a function that writes the file whose path it is given. Raises
    `CallError` where no file can be written, `MachineError` where the disk is full.
    """
    place = place_of(path)
    with written_beside(place, write) as temporary:
        put(temporary, place)


def no_file(path: Path | str) -> str:
    """What is said of a path that is to be read and is no file."""
    if os.path.exists(path):  # noqa: PTH110  # a Path's method raises for a name that is too long
        return f"{path} is a folder, a device or a pipe, not a file"
    return f"there is no file {path}"


def refuse_inputs(targets: Iterable[Path], read: Iterable[Path | str]) -> None:
    """Raise `CallError` when writing to a target would destroy one of the files that are read.

    Files are the same by what they are, not by their names: through links of both kinds too.
    """
    sources = {identity(source): source for source in read}
    for target in targets:
        source = sources.get(identity(target) or (0, 0))
        if source is not None:
            also = f" (as {source})" if Path(source) != target else ""
            raise CallError(f"{target} is read{also}, and is not written over: choose another")


def written_in(folder: Path) -> list[Path]:
    """What lies in a folder where a training writes, and may be written over by it."""
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if path.suffix in BY_TRAINING]
    return []


def identity(path: Path | str) -> tuple[int, int] | None:
    """What makes a file the same under each of its names; None where there is none."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def check_writable(paths: Iterable[Path]) -> None:
    """Raise as `write_whole` would, before the work whose results these files are to hold."""
    for path in paths:
        place = place_of(path)
        with reasons(path), temporary_beside(place):
            pass


def place_of(path: Path) -> Path:
    """Where a file for `path` is written: a symbolic link stays, what it points to is replaced.

    Raises `CallError` where there is no such folder, and for what a file must not replace: a
    folder, a device such as /dev/null, a pipe.
    """
    with reasons(path):
        if path.exists() and not path.is_file():
            kind = "folder" if path.is_dir() else "device or pipe"
            raise OSError(errno.EINVAL, f"a {kind} is not replaced by a file")
        place = Path(os.path.realpath(path)) if path.is_symlink() else path
        if not place.parent.is_dir():
            raise OSError(errno.ENOENT, f"there is no folder {place.parent}")
    return place


@contextlib.contextmanager
def written_beside(place: Path, write: Write) -> Iterator[Path]:
    """A new file with the whole content, flushed to disk, that may be `put` in its place.

    It is gone in the end otherwise. Raises as `write_whole` does.
    """
    with reasons(place), contextlib.ExitStack() as stack:
        sweep(place.parent, HIDDEN, suffix_of(place))
        temporary = stack.enter_context(temporary_beside(place))
        try:
            if isinstance(write, bytes):
                temporary.write_bytes(write)
            else:
                write(temporary)
        except Exception as error:
            if not isinstance(error, OSError) or error.errno is None:
                probe(temporary)  # libraries have words of their own for a full disk, or none
            raise
        flush(temporary)
        temporary.chmod(0o666 & ~current_umask())
        yield temporary


def put(temporary: Path, place: Path) -> None:
    """Let a file that was written beside its place take it."""
    temporary.replace(place)
    if os.name == "posix":
        flush(place.parent)


@contextlib.contextmanager
def reasons(path: Path) -> Iterator[None]:
    """Turn the system's reasons why a file cannot be written into ours."""
    try:
        yield
    except BrokenPipeError:  # of what is printed meanwhile
        raise
    except OSError as error:
        if error.errno is not None and error.errno in FULL:
            reason = os.strerror(error.errno)
            remedy = "make room there, or write to another place"
            raise MachineError(f"{path} cannot be written: {reason}", remedy) from error
        remedy = ": choose a shorter one" if error.errno == errno.ENAMETOOLONG else ""
        raise CallError(f"{path} cannot be written: {error.strerror or error}{remedy}") from error
    except ValueError as error:
        if "embedded null" in str(error) or isinstance(error, UnicodeEncodeError):
            raise CallError(f"{str(path)!r} cannot be written: no file has this name") from None
        raise


def probe(temporary: Path) -> None:
    """Raise the system's `OSError` when not another page fits at the end of a file."""
    with temporary.open("ab") as file:
        file.write(bytes(65536))
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """A new file in the target's folder, locked while it is written, gone in the end."""
    with contextlib.ExitStack() as stack:
        while True:
            handle, name = tempfile.mkstemp(suffix_of(path), HIDDEN, path.parent)
            if fcntl is None:  # Windows neither locks so nor replaces a file that is open
                os.close(handle)
                break
            lock(handle)
            if os.fstat(handle).st_nlink:
                stack.callback(os.close, handle)
                break
            os.close(handle)  # another process swept it before it was locked
        LIVING.add(Path(name))
        stack.callback(LIVING.discard, Path(name))
        stack.callback(Path(name).unlink, missing_ok=True)
        yield Path(name)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what lives no longer than this call, locked as a file that is written is.

    What libraries put into temporary files meanwhile goes there too.
    """
    parent = Path(tempfile.gettempdir())
    with reasons(parent), contextlib.ExitStack() as stack:
        sweep(parent, SCRATCH, "")
        while True:
            folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
            with contextlib.suppress(FileNotFoundError):  # swept before it was locked
                handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                stack.callback(os.close, handle)
                lock(handle)
                if folder.exists():
                    break
        LIVING.add(folder)
        stack.callback(LIVING.discard, folder)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = str(folder)
        yield folder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder: of several writers that ask for it one goes on, the others wait."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


def lock(handle: int) -> None:
    """Lock what is open, where the system can."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):  # not on every network drive
        fcntl.flock(handle, fcntl.LOCK_EX)


def suffix_of(path: Path) -> str:
    """The end of a hidden name: that of the file, by which libraries know the format."""
    return path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else ""


def left_behind(folder: Path, prefix: str, suffix: str) -> Iterator[Path]:
    """What killed processes left half written in a folder; held while it is yielded."""
    if fcntl is None:
        return
    ours = re.compile(rf"{re.escape(prefix)}\w{{8}}{re.escape(suffix)}")
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            if ours.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    held = path / LOCK if path.is_dir() else path
                    flags = os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT if held != path else 0)
                    handle = os.open(held, flags, 0o600)
                    try:
                        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        yield path
                    finally:
                        os.close(handle)


def sweep(folder: Path, prefix: str, suffix: str) -> None:
    """Remove what killed processes left half written in a folder."""
    for path in left_behind(folder, prefix, suffix):
        remove(path)


def abandon() -> None:
    """Remove what this process has not finished: it is about to end."""
    for path in list(LIVING):
        with contextlib.suppress(OSError):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
