"""ONNX models in memory and on disk: written whole or not at all, large weights beside them."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from compiler.onnx.lower import add_tensor
from runtime.errors import CallError
from runtime.external import ModelError, all_tensors, mentions_data
from runtime.files import HIDDEN, left_behind, locked, place_of, put, suffix_of, written_beside
from runtime.onnx_file import parse_model
from runtime.serialise import pieces

LARGEST_INSIDE = 1_500_000_000  # bytes of weights; protobuf stops at 2 GiB
SMALL = 1024  # bytes; smaller tensors stay in the model, shapes among them
LARGEST_MESSAGE = 2**31 - 2**24  # what protobuf can write, less some room for the graph
PACKED = (TensorProto.INT4, TensorProto.UINT4, TensorProto.FLOAT4E2M1)  # two numbers a byte
OUR_DATA = re.compile(r".+\.[0-9a-f]{16}\.data")
LONGEST_STEM = 255 - len(".0123456789abcdef.data")  # bytes of a data file's name before the digest
ALIGNMENT = 4096  # of each tensor in a data file, so that it can be mapped into memory


def write_model(model: onnx.ModelProto, path: Path, *, external: bool | None = None) -> Path:
    """Write a model, whole or not at all; over 1.5 GB (or if `external`) its weights lie beside it.

    The data file is named after its content, `X.onnx.<hash>.data`, and written first: a model
    names data that is there and fits it, whenever the process is stopped, and an older model keeps
    its own data until it has been replaced. Raises `CallError` when the weights should be inside
    and do not fit.
    """
    size = weight_bytes(model)
    if external is None:
        external = size > LARGEST_INSIDE
    elif not external and size > LARGEST_MESSAGE:
        raise CallError(
            f"{size:,} bytes of weights do not fit inside a model file, which ends at 2 GiB: "
            "leave out --no-external-data"
        )
    place = place_of(path)
    sweep_data(place)
    with ExitStack() as stack:
        moves = []
        if external:
            data = data_name(model, place)
            moves.append((stack.enter_context(written_beside(data, data_writer(model))), data))
            model = pointing(model, data.name)
        moves.append((stack.enter_context(written_beside(place, writer_of(model))), place))
        stack.enter_context(locked(place.parent))
        replaced = own_data(place) - {target for _, target in moves}
        for temporary, target in moves:  # the data first
            put(temporary, target)
        for old in replaced:
            old.unlink(missing_ok=True)
    return path


def writer_of(model: onnx.ModelProto) -> Callable[[Path], None]:
    """What writes a model."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.writelines(pieces(model))

    return write


def weight_bytes(model: onnx.ModelProto) -> int:
    """How many bytes the initializers hold."""
    return sum(map(size_of, model.graph.initializer))


def size_of(tensor: onnx.TensorProto) -> int:
    """The bytes of a tensor's raw data, reckoned from its shape: reading it would copy it."""
    if not tensor.HasField("raw_data"):
        return 0
    if tensor.data_type in PACKED:
        return len(tensor.raw_data)
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return int(math.prod(tensor.dims) * kind.itemsize)


def data_name(model: onnx.ModelProto, path: Path) -> Path:
    """The data file of a model at `path`, named after its content."""
    digest = hashlib.sha256()
    for tensor, _ in large_tensors(model):
        digest.update(tensor.raw_data)
    return path.with_name(f"{data_stem(path)}.{digest.hexdigest()[:16]}.data")


def data_stem(path: Path) -> str:
    """What the names of a model's data files begin with: its own name, or the digest of a long one.

    Another model never has the same, or it would lose its data when this one is replaced.
    """
    name = os.fsencode(path.name)
    if len(name) <= LONGEST_STEM:
        return path.name
    digest = hashlib.sha256(name).hexdigest()[:16]
    return f"{name[: LONGEST_STEM - 17].decode(errors='ignore')}.{digest}"


def data_writer(model: onnx.ModelProto) -> Callable[[Path], None]:
    """What writes all large initializers of a model one behind the other."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for tensor, offset in large_tensors(model):
                file.seek(offset)
                file.write(tensor.raw_data)

    return write


def sweep_data(place: Path) -> None:
    """Remove the data of models that a killed process wrote and did not put in their place.

    Such a model still lies beside its place under a hidden name. What a model there names stays.
    """
    for hidden in left_behind(place.parent, HIDDEN, suffix_of(place)):
        orphans = named_data(hidden)
        for model in place.parent.glob(f"*{escape(place.suffix)}") if orphans else ():
            orphans -= named_data(model) if model != hidden else set()
        for data in orphans:
            data.unlink(missing_ok=True)


def large_tensors(model: onnx.ModelProto) -> Iterator[tuple[onnx.TensorProto, int]]:
    """The initializers that go to a data file, each with its offset there."""
    offset = 0
    for tensor in model.graph.initializer:
        if size_of(tensor) >= SMALL:
            yield tensor, offset
            offset += -(-size_of(tensor) // ALIGNMENT) * ALIGNMENT


def pointing(model: onnx.ModelProto, location: str) -> onnx.ModelProto:
    """A copy of a model whose large initializers are references into the file `location`."""
    places = {t.name: (offset, size_of(t)) for t, offset in large_tensors(model)}
    light = without_numbers(model)
    for tensor in light.graph.initializer:
        if tensor.name in places:
            set_external_data(tensor, location, *places[tensor.name])
    return light


def detached(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """A model that refers to its large initializers, and their arrays, to be handed over beside it.

    ONNX Runtime uses them in place, where a message would be written, read and copied.
    """
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor, _ in large_tensors(model)}
    return pointing(model, "memory"), arrays


def referring(
    model: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]]
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """A model that was lowered apart from its arrays, and those of them that it only refers to.

    They are what `detached` would give of the whole model, without ever being copied into one.
    """
    large, offset = {}, 0
    for name, array in arrays.items():
        if array.nbytes < SMALL:
            add_tensor(model, name, array)
            continue
        large[name] = np.ascontiguousarray(array)
        tensor = model.graph.initializer.add()
        tensor.name, tensor.raw_data = name, b""
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        set_external_data(tensor, "memory", offset, array.nbytes)
        offset += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    return model, large


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model in which large initializers have a name, shape and type but no numbers."""
    light = onnx.ModelProto()
    copy_fields(model, light, {"graph"})
    copy_fields(model.graph, light.graph, {"initializer"})
    for tensor in model.graph.initializer:
        copy = light.graph.initializer.add()
        large = size_of(tensor) >= SMALL
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
    return {data for data in named_data(path) if data.name.startswith(f"{data_stem(path)}.")}


def named_data(path: Path) -> set[Path]:
    """The data files of our making beside a model that it names."""
    beside = {file for file in path.parent.glob("*.data") if OUR_DATA.fullmatch(file.name)}
    if not beside or not path.is_file() or not mentions_data(path):
        return set()
    try:
        tensors = list(all_tensors(parse_model(path)))
    except ModelError:
        return set()
    names = {e.value for t in tensors for e in t.external_data if e.key == "location"}
    return {file for file in beside if file.name in names}
