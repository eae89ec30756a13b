"""Parameters to a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.arrays import save_arrays
from runtime.errors import CallError
from runtime.files import write_whole

# What safetensors calls NumPy's element types, in the order in which it lays tensors out.
TYPES = {
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "float32": "F32",
    "uint32": "U32",
    "int32": "I32",
    "bfloat16": "BF16",
    "float16": "F16",
    "uint16": "U16",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def save_weights(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write parameters by name to a .safetensors or .npz file, whole or not at all."""
    if path.suffix == ".npz":
        save_arrays(path, arrays)
    elif path.suffix == ".safetensors":
        write_whole(path, lambda target: write_safetensors(target, arrays))
    else:
        raise CallError(f"{path.name}: weights are written as .safetensors or .npz")


def write_safetensors(
    path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a .safetensors file, one array after the other; `metadata` are texts in its header.

    The library writes to a temporary file of its own, which a kill leaves for ever, or to memory,
    where everything would be twice. The format: the length of a header in eight bytes, the header
    as JSON padded with spaces to a multiple of eight, and the numbers, little-endian
    (https://github.com/huggingface/safetensors#format).
    """
    order = sorted(arrays, key=lambda name: (list(TYPES).index(arrays[name].dtype.name), name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        start, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": TYPES[arrays[name].dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(little_endian(arrays[name]).data)


def little_endian(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of an array in the order of the file, without a copy where they are so already."""
    whole = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return whole.reshape(-1).view(np.uint8)
