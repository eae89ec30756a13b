"""What a model takes: its inputs, and the sizes that make them fit given arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from runtime.errors import CallError
from runtime.external import check_tensors
from runtime.onnx_file import parse_model, real_place

Shape = tuple[int | str, ...]
UNNAMED = "?"
PRECISIONS = {
    TensorProto.FLOAT: "f32",
    TensorProto.FLOAT16: "f16",
    TensorProto.BFLOAT16: "bf16",
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "int8",
}


@dataclass(frozen=True)
class Description:
    """The inputs of a model by name, symbolic sizes by theirs; the type of most of its weights."""

    inputs: Mapping[str, Shape]
    precision: str


def describe(model: bytes | Path | onnx.ModelProto) -> Description:
    """Read a model's interface; the external data of a file is checked, not read."""
    if isinstance(model, Path):
        path, model = model, parse_model(model)
        check_tensors(model, real_place(path))
    elif isinstance(model, bytes):
        model = onnx.load_model_from_string(model)
    held = {tensor.name for tensor in model.graph.initializer}
    weights: Counter[str] = Counter()
    for tensor in model.graph.initializer:
        if tensor.data_type in PRECISIONS:
            weights[PRECISIONS[tensor.data_type]] += int(np.prod(tensor.dims, dtype=np.int64))
    inputs = {
        info.name: tuple(
            d.dim_value if d.HasField("dim_value") else d.dim_param or UNNAMED
            for d in info.type.tensor_type.shape.dim
        )
        for info in model.graph.input
        if info.name not in held
    }
    return Description(inputs, weights.most_common(1)[0][0] if weights else "f32")


def fitted(inputs: Mapping[str, Shape], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The values of symbolic sizes with which the inputs, in order, take these shapes."""
    if len(inputs) != len(shapes):
        raise CallError(f"a model with {len(inputs)} inputs cannot take {len(shapes)} arrays")
    sizes: dict[str, int] = {}
    for (name, shape), wanted in zip(inputs.items(), shapes, strict=True):
        fits = len(shape) == len(wanted)
        for have, want in zip(shape, wanted, strict=False):
            fits = fits and (have if isinstance(have, int) else sizes.get(have, want)) == want
            if isinstance(have, str) and have != UNNAMED:
                sizes[have] = want
        if not fits:
            given = ", ".join(map(str, shape))
            raise CallError(f"the input {name} is [{given}], which does not take {list(wanted)}")
    return sizes


def input_shapes(inputs: Mapping[str, Shape], batch: int, other: int) -> dict[str, tuple[int, ...]]:
    """Shapes for a model's inputs: a symbolic first size becomes the batch, the rest `other`.

    Raises `CallError` for a model whose batch is fixed at another size.
    """
    for name, shape in inputs.items():
        if shape and isinstance(shape[0], int) and shape[0] != batch:
            sizes = ", ".join(map(str, shape))
            raise CallError(
                f"the input {name} is [{sizes}], batches of {shape[0]} alone, and {batch} are "
                f"asked for: give --batch {shape[0]}, or a model whose batch is open"
            )
    return {
        name: tuple(
            size if isinstance(size, int) else batch if place == 0 else other
            for place, size in enumerate(shape)
        )
        for name, shape in inputs.items()
    }
