"""The door to every file that a definition names: `use`, `labels`, and what importers read beside.

A definition may come from a stranger, and so may the names in it. What is opened is a regular file
inside the folders that are allowed, symbolic links followed, and of a limited size: never a device,
whose end may never come, nor a pipe, on which a reader waits.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from compiler.values import Mistake
from grammar import syntax as s
from grammar.records import dataclass
from grammar.source import Source

LIBRARY = Path(__file__).resolve().parent.parent / "netdefs"
LARGEST_TEXT = 16 * 2**20  # bytes of a definition, of class names, of a model written as text
NO_FILE = "it is a folder, a device or a pipe, not a file"
AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BinaryIO:
    """A regular file, opened for reading without waiting; raises `OSError` for anything else."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening some devices does something
            raise OSError(errno.EINVAL, NO_FILE, str(path))
        file = open(os.open(path, os.O_RDONLY | AT_ONCE), "rb")  # noqa: PTH123, SIM115
    except ValueError:  # NUL, or half of a surrogate pair
        raise OSError(errno.EINVAL, "no file can have this name", repr(str(path))) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # another file has taken its place
        file.close()
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return file


def read_regular(path: Path, limit: int = LARGEST_TEXT) -> bytes:
    """The content of a regular file of at most `limit` bytes; raises `OSError`."""
    with open_regular(path) as file:
        # What a file of /proc says of its size is no promise: the reading itself has to end.
        content = file.read(limit + 1) or b""
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit // 2**20} MiB", str(path))
    return content


def is_regular(path: Path) -> bool:
    """Whether there is a regular file."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def read_source(path: Path, name: str | None = None) -> Source:
    """The text of a definition; raises `OSError`.

    Bytes that are no UTF-8 become lone surrogates, which the parser reports where they stand.
    """
    text = read_regular(path).decode("utf-8-sig", errors="surrogateescape")
    return Source(name or str(path), text.replace("\r\n", "\n").replace("\r", "\n"), path)


@dataclass(frozen=True)
class Files:
    """What a definition may read: files below its root folder, `include` and the library.

    `opened` are texts as an editor has them, in place of what the disk holds or does not hold yet.
    `seen` collects each path that was read or looked for.
    """

    include: tuple[Path, ...] = ()
    opened: Mapping[Path, Source] = field(default_factory=dict, repr=False)
    root: Path | None = None
    seen: set[Path] = field(default_factory=set, repr=False)

    def has(self, path: Path) -> bool:
        """Whether there is such a file."""
        self.seen.add(path)
        return path in self.opened or is_regular(path)

    def read(self, path: Path, name: str) -> Source:
        """The text of a file; raises `OSError`."""
        self.seen.add(path)
        return self.opened[path] if path in self.opened else read_source(path, name)

    @property
    def roots(self) -> list[Path]:
        """The folders, symbolic links followed, below which all that may be read lies."""
        return [real(folder) for folder in (self.root, *self.include, LIBRARY) if folder]

    def root_of(self, path: Path) -> Path:
        """The root folder that a file belongs to, which what it names may not leave."""
        return next((folder for folder in self.roots if path.is_relative_to(folder)), path.parent)

    def find(self, named: s.Text) -> Path:
        """The file that a text names: beside its own file, in `include`, in the library.

        Raises `Mistake` (E207) for one that is not there, is no file, or lies outside the roots.
        """
        text = "".join(part for part in named.parts if isinstance(part, str))
        here = named.span.source.path
        folders = [*([real(here).parent] if here else []), *self.include, LIBRARY]
        try:
            places = [real(folder / text) for folder in folders]
        except ValueError:
            raise Mistake("E207", "no file can have this name", named.span) from None
        allowed = [p for p in places if any(p.is_relative_to(root) for root in self.roots)]
        for place in allowed:
            if self.has(place):
                return place
        if not allowed or any(os.path.lexists(p) for p in places if p not in allowed):
            raise Mistake(
                "E207",
                "a file that a definition names must lie inside the definition's own folder",
                named.span,
                label=f"`{text}` leads out of it",
                help="allow its folder with -I",
            )
        if any(map(os.path.lexists, allowed)):
            raise Mistake("E207", f"`{text}` cannot be read", named.span, label=NO_FILE)
        raise Mistake(
            "E207",
            f"no file `{text}`",
            named.span,
            label="looked beside this file, in the -I folders and in the library",
        )


def real(path: Path) -> Path:
    """A path with symbolic links followed, as far as they lead; raises ValueError for NUL."""
    return Path(os.path.realpath(path))
