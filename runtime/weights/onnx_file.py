"""The initializers of an ONNX file as weights; its external data only from its own folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from runtime.arrays import Stored
from runtime.external import check_entry
from runtime.onnx_file import parse_model
from runtime.weights import WeightsError

FLOATS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.FLOAT16: "int32_data",
    TensorProto.BFLOAT16: "int32_data",
}


def store_onnx(path: Path) -> dict[str, Stored]:
    """The floating-point initializers by name, not yet converted or read from external data.

    Whole numbers (shapes, axes) and the constants that netc's own lowering adds are no weights.
    Exporters store equal arrays once and give the others their names with Identity nodes.
    """
    if path.is_symlink():
        path = path.resolve()  # external data lies beside the file itself
    model = parse_model(path)
    copies = [
        (node.input[0], node.output[0])
        for node in model.graph.node
        if node.op_type == "Identity" and len(node.input) == len(node.output) == 1
    ]
    ours = model.producer_name == "netc"
    found = {
        tensor.name: store_initializer(tensor, path)
        for tensor in model.graph.initializer
        if tensor.data_type in FLOATS and not (ours and "/constant_" in tensor.name)
    }
    for original, copy in copies:
        if original in found:
            found[copy] = found[original]
    return found


def store_initializer(tensor: TensorProto, path: Path) -> Stored:
    """One initializer, its shape held against the data that is there."""
    shape = tuple(tensor.dims)
    dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    wanted = math.prod(shape) * dtype.itemsize
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if tensor.data_location == TensorProto.EXTERNAL:
        held = check_entry(path, tensor.name, entries)
        if "length" not in entries:
            held = min(held, wanted)
    elif tensor.HasField("raw_data"):
        held = len(tensor.raw_data)
    else:
        held = len(getattr(tensor, FLOATS[tensor.data_type])) * dtype.itemsize
    if held != wanted:
        raise WeightsError(
            f"{path.name}: {tensor.name} claims {wanted:,} bytes ({list(shape)} {dtype}), "
            f"but holds {held:,}"
        )

    def read() -> NDArray[Any]:
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.to_array(tensor)
        with (path.parent / entries["location"]).open("rb") as file:
            file.seek(int(entries.get("offset", "0")))
            return np.frombuffer(file.read(wanted), dtype).reshape(shape)

    return Stored(shape, str(dtype), read)
