"""ONNX models in memory and on disk: written whole or not at all, large weights beside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx.external_data_helper import set_external_data

from runtime.external import ModelError, all_tensors, mentions_data, read_graph
from runtime.files import write_whole

LARGEST_INSIDE = 1_500_000_000  # bytes of weights; protobuf stops at 2 GiB
SMALL = 1024  # bytes; smaller tensors stay in the model, shapes among them
ALIGNMENT = 4096  # of each tensor in a data file, so that it can be mapped into memory


def write_model(model: onnx.ModelProto, path: Path, *, external: bool | None = None) -> Path:
    """Write a model, whole or not at all; over 1.5 GB (or if `external`) its weights lie beside it.

    The data file is named after its content, `X.onnx.<hash>.data`, and written first: a model
    names data that is there and fits it, whenever the process is stopped, and an older model keeps
    its own data until it has been replaced.
    """
    if external is None:
        external = weight_bytes(model) > LARGEST_INSIDE
    replaced = own_data(path)
    if external:
        data = write_data(model, path)
        replaced -= {data}
        model = pointing(model, data.name)
    write_whole(path, model.SerializeToString(deterministic=True))
    for old in replaced:
        old.unlink(missing_ok=True)
    return path


def weight_bytes(model: onnx.ModelProto) -> int:
    """How many bytes the initializers hold."""
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer)


def write_data(model: onnx.ModelProto, path: Path) -> Path:
    """Write all large initializers one behind the other; the file is named after their content."""
    digest = hashlib.sha256()
    for tensor, _ in large_tensors(model):
        digest.update(tensor.raw_data)
    target = path.with_name(f"{path.name}.{digest.hexdigest()[:16]}.data")

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for tensor, offset in large_tensors(model):
                file.seek(offset)
                file.write(tensor.raw_data)

    write_whole(target, write)
    return target


def large_tensors(model: onnx.ModelProto) -> Iterator[tuple[onnx.TensorProto, int]]:
    """The initializers that go to a data file, each with its offset there."""
    offset = 0
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) >= SMALL:
            yield tensor, offset
            offset += -(-len(tensor.raw_data) // ALIGNMENT) * ALIGNMENT


def pointing(model: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """A copy of a model whose large initializers are references into the file `location`."""
    places = {t.name: (offset, len(t.raw_data)) for t, offset in large_tensors(model)}
    light = without_numbers(model)
    for tensor in light.graph.initializer:
        if tensor.name in places:
            set_external_data(tensor, location, *places[tensor.name])
    return light


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model in which large initializers have a name, shape and type but no numbers."""
    light = onnx.ModelProto()
    copy_fields(model, light, {"graph"})
    copy_fields(model.graph, light.graph, {"initializer"})
    for tensor in model.graph.initializer:
        copy = light.graph.initializer.add()
        large = len(tensor.raw_data) >= SMALL
        copy_fields(tensor, copy, {"raw_data"} if large else set())
        if large:  # set_external_data wants the field to be there
            copy.raw_data = b""
    return light


def copy_fields(source: Any, target: Any, left_out: set[str]) -> None:
    """Copy the set fields of a protobuf message but some."""
    for field, value in source.ListFields():
        if field.name in left_out:
            continue
        if field.is_repeated:
            getattr(target, field.name).extend(value)
        elif field.message_type is not None:
            getattr(target, field.name).CopyFrom(value)
        else:
            setattr(target, field.name, value)


def own_data(path: Path) -> set[Path]:
    """The data files of ours that the model now at `path`, if there is one, names."""
    if not path.is_file() or not mentions_data(path):
        return set()
    try:
        tensors = list(all_tensors(read_graph(path)))
    except ModelError:
        return set()
    ours = re.compile(re.escape(path.name) + r"\.[0-9a-f]{16}\.data")
    names = {e.value for t in tensors for e in t.external_data if e.key == "location"}
    return {path.with_name(name) for name in names if ours.fullmatch(name)}
