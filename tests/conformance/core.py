"""Which of ONNX's node tests are the core: single nodes of a CNN's operators on floats."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import onnx
from onnx import TensorProto
from onnx.backend.test.case.node import collect_testcases

CORE = (
    # windows
    ["Conv", "ConvTranspose", "AveragePool", "MaxPool", "LpPool"],
    ["GlobalAveragePool", "GlobalMaxPool"],
    # normalisation
    ["BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization"],
    ["LRN"],
    # matrix products
    ["Gemm", "MatMul"],
    # activations
    ["Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Mish", "Swish", "HardSigmoid"],
    ["HardSwish", "Sigmoid", "Tanh", "Softplus", "Softsign", "ThresholdedRelu", "Clip"],
    ["Softmax", "LogSoftmax"],
    # joins
    ["Concat", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min"],
    # shapes and places
    ["Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split"],
    ["DepthToSpace", "SpaceToDepth", "Pad", "Resize", "Upsample"],
    # what else stands in such networks
    ["Identity", "Dropout", "ReduceMean", "ReduceMax", "ReduceSum", "Neg"],
)
OPERATORS = frozenset(name for group in CORE for name in group)
ORDINARY = {TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}

# Operators that take several tensors; of every other the first input is data, the rest parameters.
JOINS = {"Concat", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min"}


@cache
def core_cases() -> dict[str, Any]:
    """The core cases by name."""
    return {case.name: case for case in all_cases() if is_core(case.model)}


def all_cases() -> Iterator[Any]:
    """Every node test that the onnx package holds."""
    yield from collect_testcases(None)


def is_core(model: onnx.ModelProto) -> bool:
    """Whether a model is one node of a core operator whose tensors are of ordinary types."""
    graph = model.graph
    types = {value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    single = len(graph.node) == 1 and graph.node[0].domain == ""
    return single and graph.node[0].op_type in OPERATORS and types <= ORDINARY
