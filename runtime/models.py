"""Writing ONNX models."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from onnx.external_data_helper import set_external_data

from runtime.files import write_whole

BYTES = 4  # a float32
LARGEST_INSIDE = 1_500_000_000  # protobuf stops at 2 GiB


def write_model(model: onnx.ModelProto, path: Path) -> Path:
    """Write a model, whole or not at all; over 1.5 GB its weights go to `path.data` beside it.

    The data is written first, so that a model never names data that is not there.
    """
    numbers = sum(math.prod(tensor.dims) for tensor in model.graph.initializer)
    if numbers * BYTES > LARGEST_INSIDE:
        data = path.with_name(path.name + ".data")
        write_whole(data, lambda target: _move_out(model, target, data.name))
    write_whole(path, model.SerializeToString(deterministic=True))
    return path


def _move_out(model: onnx.ModelProto, target: Path, location: str) -> None:
    """Write every large initializer to `target` and leave a reference to `location`."""
    offset = 0
    with target.open("wb") as file:
        for tensor in model.graph.initializer:
            raw = tensor.raw_data
            if len(raw) < 1024:
                continue
            file.write(raw)
            set_external_data(tensor, location, offset, len(raw))
            tensor.ClearField("raw_data")
            offset += len(raw)
