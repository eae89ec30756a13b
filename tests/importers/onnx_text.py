"""ONNX models from ONNX's own textual syntax, with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, parser

IR_VERSION = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7}  # of each opset; 8 from 13 on


def onnx_model(
    nodes: str,
    inputs: str = "float[N, 3, 8, 8] x",
    *,
    weights: Mapping[str, tuple[int, ...]] | None = None,
    constants: Mapping[str, Any] | None = None,
    opset: int = 17,
    outputs: str = "y",
) -> onnx.ModelProto:
    """A model that computes y from x; `constants` are integers unless they are arrays of floats.

    Weights called `var…` are positive, as variances are. Up to IR version 3 every initializer is
    an input as well, as that version asks for.
    """
    graph = parser.parse_graph(f"g ({inputs}) => ({outputs}) {{ {nodes} }}")
    random = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {}
    for name, shape in (weights or {}).items():
        numbers = random.standard_normal(shape).astype(np.float32) / 2
        arrays[name] = np.abs(numbers) + 0.5 if name.startswith("var") else numbers
    for name, value in (constants or {}).items():
        array = np.asarray(value)
        arrays[name] = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
    graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in arrays.items())
    version = IR_VERSION.get(opset, 8)
    if version == 3:
        declare = onnx.helper.make_tensor_value_info
        graph.input.extend(declare(t.name, t.data_type, t.dims) for t in graph.initializer)
    imports = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=version)
