"""Arrays from and to .npy and .npz files: never pickle, sizes checked before memory is taken.

An array is first *stored*: its header is read and held against the size of its file, nothing
else. What would not fit, or lies about its size, is refused while it costs nothing.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from compiler.files import open_regular
from runtime.errors import CallError
from runtime.files import write_whole

LONGEST_HEADER = 10_000  # bytes; numpy's own limit for untrusted files
LEAST_BOMB = 256 * 2**20  # bytes; less is harmless, however well it packs
MOST_PACKED = 100  # weights and pictures pack two or three to one
MOST_DEFLATED = 1032  # deflate cannot pack better than this (zlib's technical notes)
BROKEN = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, UnicodeDecodeError),
    *(NotImplementedError, RuntimeError),
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every member that is written: same arrays, same bytes


class ArrayError(CallError):
    """A file of arrays that cannot be read."""


@dataclass(frozen=True)
class Stored:
    """An array in a file, not yet read: its shape, its element type, and how to read it.

    The type is by name, the same for either order of bytes.
    """

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]


@dataclass(frozen=True)
class Header:
    """What the head of an .npy file says; `length` is its own size in bytes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    length: int

    @property
    def bytes(self) -> int:
        """How many bytes of data must follow."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], name: str) -> Header:
    """The head of an .npy stream; raises `ArrayError` for what is no plain array of numbers."""
    try:
        major, minor = np.lib.format.read_magic(file)
    except ValueError:
        raise ArrayError(f"{name} is no NumPy array") from None
    if (major, minor) not in ((1, 0), (2, 0)):
        raise ArrayError(f"{name} has the NumPy format {major}.{minor}, which is none for numbers")
    field = file.read(2 if major == 1 else 4)
    length = int.from_bytes(field, "little")
    if length > LONGEST_HEADER:
        raise ArrayError(f"{name} claims a header of {length:,} bytes")
    head = io.BytesIO(field + file.read(length))
    parse = np.lib.format.read_array_header_1_0
    if major == 2:
        parse = np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = parse(head, max_header_size=LONGEST_HEADER)
    except (ValueError, TypeError, SyntaxError, TokenError, RecursionError, MemoryError) as error:
        raise ArrayError(f"{name} has a header that cannot be read: {error}") from None
    if dtype.hasobject:
        raise ArrayError(
            f"{name} holds pickled objects, which could run any code: save plain numbers"
        )
    if dtype.kind not in "fiub":
        raise ArrayError(f"{name} holds no numbers but {dtype}")
    if any(size < 0 for size in shape):
        raise ArrayError(f"{name} claims the shape {list(shape)}")
    return Header(tuple(shape), dtype, np.lib.format.MAGIC_LEN + len(field) + length)


def store_npy(path: Path) -> Stored:
    """The array of an .npy file; reading maps the file, so a part costs a part."""
    try:
        with open_regular(path) as file:
            header = read_header(file, path.name)
        held = path.stat().st_size - header.length
    except FileNotFoundError:
        raise ArrayError(f"there is no file {path}") from None
    except OSError as error:
        raise ArrayError(f"{path} cannot be read: {error}") from None
    check_claim(path.name, header, held)
    mode: Literal["r"] | None = "r" if header.bytes else None  # nothing cannot be mapped
    return Stored(
        header.shape, header.dtype.name, lambda: np.load(path, mmap_mode=mode, allow_pickle=False)
    )


def check_claim(name: str, header: Header, held: int) -> None:
    """Raise `ArrayError` when a header claims more or less than there is."""
    if header.bytes != held:
        raise ArrayError(
            f"{name} claims {header.bytes:,} bytes of numbers ({list(header.shape)} "
            f"{header.dtype}), but holds {max(held, 0):,}: it is cut short or broken"
        )


def store_npz(path: Path) -> dict[str, Stored]:
    """The arrays of an .npz file by name."""
    try:
        # It stays open for as long as an array may still be read.
        archive = zipfile.ZipFile(open_regular(path))
        members = archive.infolist()
        check_members(path, members)
        return {
            member.filename.removesuffix(".npy"): store_member(path, archive, member)
            for member in members
        }
    except FileNotFoundError:
        raise ArrayError(f"there is no file {path}") from None
    except BROKEN as error:
        raise ArrayError(f"{path} cannot be read: {error}") from None


def check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raise `ArrayError` for an archive that is none of NumPy's, or that would unpack hugely."""
    seen: set[str] = set()
    for member in members:
        if not member.filename.endswith(".npy"):
            raise ArrayError(f"{path.name} holds {member.filename}, which is no NumPy array")
        if member.filename in seen:
            raise ArrayError(f"{path.name} holds {member.filename} twice")
        seen.add(member.filename)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArrayError(f"{path.name} is packed in a way that NumPy never uses")
        if member.file_size > MOST_DEFLATED * (member.compress_size + 1):
            raise ArrayError(
                f"{path.name}: {member.filename} claims to unpack from {member.compress_size:,} to "
                f"{member.file_size:,} bytes, which is impossible"
            )
    packed = sum(member.compress_size for member in members)
    unpacked = sum(member.file_size for member in members)
    if packed > path.stat().st_size:
        raise ArrayError(f"{path.name} has members that overlap")
    if unpacked > LEAST_BOMB and unpacked > MOST_PACKED * packed:
        raise ArrayError(
            f"{path.name} would unpack from {packed:,} to {unpacked:,} bytes, as a zip bomb does; "
            "if you trust it, save it again with numpy.savez, which does not pack"
        )


def store_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Stored:
    """One array of an .npz file, its header held against the size that the archive gives."""
    name = f"{path.name}: {member.filename}"
    with archive.open(member) as file:
        header = read_header(file, name)
    check_claim(name, header, member.file_size - header.length)

    def read() -> NDArray[Any]:
        try:
            with archive.open(member) as stream:
                return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
        except (ValueError, *BROKEN) as error:
            raise ArrayError(f"{name} cannot be read: {error}") from None

    return Stored(header.shape, header.dtype.name, read)


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array to an .npy file, whole or not at all."""

    def save(target: Path) -> None:
        with target.open("wb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    write_whole(path, save)


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole or not at all; the same arrays give the same bytes."""

    def save(target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:
            for name, array in arrays.items():
                member = zipfile.ZipInfo(f"{name}.npy", EPOCH)
                with archive.open(member, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)

    write_whole(path, save)
