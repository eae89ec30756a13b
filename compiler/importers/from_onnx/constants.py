"""Constants that a model computes from constants, worked out by onnx's own evaluator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from compiler.importers.imported import UnreadableError

LARGEST = 2**28  # numbers in a constant that is worked out here
SAME_NUMBERS = {"Reshape", "Transpose", "Unsqueeze", "Squeeze", "Identity", "Cast", "Flatten"}
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli"}

Arrays = dict[str, NDArray[Any]]


def fold_constants(
    nodes: Sequence[onnx.NodeProto], constants: Arrays, opset: int
) -> tuple[list[onnx.NodeProto], dict[str, str]]:
    """The nodes that are left when all constants are worked out (they are put into `constants`).

    Also gives, for each constant that is another one's numbers in another shape, that other one.
    """
    left: list[onnx.NodeProto] = []
    origins: dict[str, str] = {}
    for node in nodes:
        known = all(name in constants for name in node.input if name)
        values = evaluated(node, constants, opset) if known and node.op_type not in RANDOM else None
        if values is None:
            left.append(node)
            continue
        constants.update(values)
        if node.op_type in SAME_NUMBERS and node.input:
            origins[node.output[0]] = origins.get(node.input[0], node.input[0])
    return left, origins


def evaluated(
    node: onnx.NodeProto, constants: Mapping[str, NDArray[Any]], opset: int
) -> Arrays | None:
    """What a node of constants makes; None when it cannot be worked out."""
    if node.op_type == "Constant":
        return constant(node)
    feeds = {name: constants[name] for name in node.input if name}
    if node.op_type == "ConstantOfShape" and feeds:
        if np.prod(next(iter(feeds.values())).astype(np.float64)) > LARGEST:
            return None
        return constant_of_shape(node, next(iter(feeds.values())))
    outputs = [name for name in node.output if name]
    try:
        graph = onnx.helper.make_graph(
            [node],
            "constant",
            [
                onnx.helper.make_tensor_value_info(
                    name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
                )
                for name, value in feeds.items()
            ],
            [onnx.helper.make_empty_tensor_value_info(name) for name in outputs],
        )
        imports = [onnx.helper.make_opsetid("", opset)]
        model = onnx.helper.make_model(graph, opset_imports=imports)
        results = ReferenceEvaluator(model).run(None, feeds)
    except Exception:  # the evaluator raises whatever its NumPy code does
        return None
    return dict(zip(outputs, map(np.asarray, results), strict=True))


def constant(node: onnx.NodeProto) -> Arrays | None:
    """The numbers of a `Constant` node."""
    if len(node.attribute) != 1:
        return None
    value = onnx.helper.get_attribute_value(node.attribute[0])
    name = node.attribute[0].name
    if isinstance(value, onnx.TensorProto):
        return {node.output[0]: array_of(value)}
    if name in ("value_int", "value_ints"):
        return {node.output[0]: np.asarray(value, dtype=np.int64)}
    if name in ("value_float", "value_floats"):
        return {node.output[0]: np.asarray(value, dtype=np.float32)}
    return None


def constant_of_shape(node: onnx.NodeProto, shape: NDArray[Any]) -> Arrays:
    """A constant filled with one number."""
    given = [onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == "value"]
    fill = array_of(given[0]).reshape(-1) if given else np.zeros(1, dtype=np.float32)
    return {node.output[0]: np.full(tuple(shape), fill[0], dtype=fill.dtype)}


def array_of(tensor: onnx.TensorProto) -> NDArray[Any]:
    """The numbers of a tensor of the file; raises `UnreadableError`."""
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OSError) as error:
        raise UnreadableError(f"the initializer {tensor.name} is broken: {error}") from None
