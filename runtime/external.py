"""External data of ONNX files from strangers: only plain files beside the model, nothing else.

A model names files in which its weights lie. Followed blindly, such a name reads any file of the
machine (CVE-2022-25882, CVE-2024-27318 and others), so it is checked before ONNX Runtime opens
the model: a relative path below the model's folder, no symbolic link on the way, no second hard
link, and offset and length inside the file.
"""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from runtime.errors import CallError

LONGEST_NAME = 120  # letters of a file's name in a message


class ModelError(CallError):
    """An ONNX file that is not opened: missing, broken, or naming data it must not."""


def check_tensors(model: onnx.ModelProto, path: Path) -> None:
    """Raise `ModelError` unless everything that a model reads besides itself lies beside `path`."""
    for tensor in all_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            check_entry(path, tensor.name, entries)


def mentions_data(path: Path) -> bool:
    """Whether a file can name external data at all: the key `location` must stand in it."""
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(b"location") >= 0


def all_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of a model: initializers, attributes, in subgraphs and functions too."""
    graphs = [model.graph]
    graphs += [g for info in model.training_info for g in (info.initialization, info.algorithm)]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
            continue
        for attribute in nodes.pop().attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs += [attribute.g, *attribute.graphs]


def check_entry(model: Path, tensor: str, entries: dict[str, str]) -> int:
    """Raise `ModelError` unless one tensor's external data may be read; how many bytes it has.

    An entry without a length has all that its file holds from the offset on.
    """
    location = entries.get("location", "")

    def refuse(why: str) -> ModelError:
        shown = location if len(location) < LONGEST_NAME else f"{location[:LONGEST_NAME]}…"
        return ModelError(
            f"{model} is not opened: the data of {tensor or 'a tensor'} lies in {shown!r}, {why}"
        )

    parts = PurePosixPath(location).parts
    windows = PureWindowsPath(location)
    if not parts or location.startswith("/") or windows.drive or windows.root:
        raise refuse("which is no path beside the model")
    if ".." in parts or ".." in windows.parts:
        raise refuse("which leaves the model's folder")
    place = model.parent
    try:
        for part in parts:
            place = place / part
            if place.is_symlink():
                raise refuse("which is a symbolic link")
        if not place.is_file():
            raise refuse("where there is no file")
        found = place.stat()
    except ModelError:
        raise
    except (OSError, ValueError):  # a name too long, or one with NUL
        raise refuse("where no file can be") from None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise refuse("which has another hard link")
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", "0"))
    except ValueError:
        raise refuse("at an offset that is no number") from None
    if offset < 0 or length < 0 or offset + length > found.st_size:
        raise refuse(f"from byte {offset:,} on {length:,} bytes, but it has {found.st_size:,}")
    return length if "length" in entries else found.st_size - offset
