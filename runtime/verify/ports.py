"""ONNX models that are compared: what they take and give, numbers for their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from runtime.errors import CallError
from runtime.random_inputs import OPEN_SIZE, random_input

Sizes = tuple[int | str | None, ...]


@dataclass(frozen=True)
class Port:
    """An input or output of a model: sizes are ints, names, or None where nothing is said."""

    name: str
    sizes: Sizes | None
    dtype: np.dtype[Any]


def inputs_of(model: onnx.ModelProto) -> list[Port]:
    """What a caller must feed: the inputs that have no initializer."""
    held = {tensor.name for tensor in model.graph.initializer}
    return [port(info) for info in model.graph.input if info.name not in held]


def outputs_of(model: onnx.ModelProto) -> list[Port]:
    """What a model gives."""
    return [port(info) for info in model.graph.output]


def port(info: onnx.ValueInfoProto) -> Port:
    """An input or output as the model declares it; raises `CallError` when it is no tensor."""
    tensor = info.type.tensor_type
    if not tensor.elem_type or tensor.elem_type == TensorProto.STRING:
        raise CallError(f"{info.name} is no tensor of numbers")
    sizes: list[int | str | None] = [
        d.dim_value if d.dim_value > 0 else d.dim_param or None for d in tensor.shape.dim
    ]
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return Port(info.name, tuple(sizes) if tensor.HasField("shape") else None, dtype)


def precision_of(model: onnx.ModelProto) -> str:
    """The narrowest type of floating-point weights, in our words."""
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    kinds |= {info.type.tensor_type.elem_type for info in model.graph.input}
    if TensorProto.BFLOAT16 in kinds:
        return "bf16"
    return "f16" if TensorProto.FLOAT16 in kinds else "f32"


def agreed(name: str, a: Port, b: Port) -> Sizes:
    """The sizes of an input that two models can share; raises `CallError`."""
    if a.sizes is None or b.sizes is None:
        sizes = a.sizes or b.sizes
        if sizes is None:
            raise CallError(f"neither model says what shape its input {name} has: give --input")
        return sizes
    clash = len(a.sizes) != len(b.sizes) or any(
        isinstance(x, int) and isinstance(y, int) and x != y
        for x, y in zip(a.sizes, b.sizes, strict=True)
    )
    if clash:
        raise CallError(
            f"the input {name} is {list(a.sizes)} in one model and {list(b.sizes)} in the other"
        )
    return tuple(x if isinstance(x, int) else y for x, y in zip(a.sizes, b.sizes, strict=True))


def random_array(
    port: Port, sizes: Sizes, batch: int, seed: int, known: Mapping[str, int]
) -> NDArray[Any]:
    """Random numbers for an input; an open size is the batch in front, else as `known` or 64."""
    shape = [
        size if isinstance(size, int) else batch if place == 0 else known.get(size or "", OPEN_SIZE)
        for place, size in enumerate(sizes)
    ]
    return random_input(port.name, shape, port.dtype, seed)
