"""Constants that a model computes from constants, worked out by onnx's own evaluator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from compiler.importers.imported import UnreadableError

LARGEST = 2**27  # numbers in a constant that is worked out (VGG fills one of 102,760,448)
MOST_BYTES = 2**30  # of all of them together, besides twice what the model itself holds
MOST_SIZES = 64  # numbers in a list of sizes
MOST_PRODUCTS = 10**10  # multiplications for one of them
SAME_NUMBERS = {"Reshape", "Transpose", "Unsqueeze", "Squeeze", "Identity", "Cast", "Flatten"}
# Random, or run for as long as a few bytes say.
NEVER = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli"}
NEVER |= {"Multinomial", "Dropout", "Loop", "Scan", "If", "SequenceMap"}
PRODUCTS = {"MatMul", "Gemm", "Conv", "ConvTranspose", "Einsum", "MatMulInteger", "ConvInteger"}

Arrays = dict[str, NDArray[Any]]


class TooLarge(ValueError):
    """A constant that would be too large; the text says how large."""


class Folding:
    """Works out constants by `opset`, up to a limit of `left` bytes for all together."""

    def __init__(self, opset: int, held: int = 0) -> None:
        self.opset = opset
        self.left = MOST_BYTES + 2 * held

    def fold(
        self, nodes: Sequence[onnx.NodeProto], constants: Arrays
    ) -> tuple[list[onnx.NodeProto], dict[str, str]]:
        """The nodes that are left when all constants are worked out (these go to `constants`).

        Also gives, for each constant that is another one's numbers in another shape, that other
        one. A constant that would be too large is left as well.
        """
        left: list[onnx.NodeProto] = []
        origins: dict[str, str] = {}
        for node in nodes:
            known = all(name in constants for name in node.input if name)
            try:
                values = self.evaluated(node, constants) if known else None
            except TooLarge:
                values = None
            if values is None:
                left.append(node)
                continue
            constants.update(values)
            if node.op_type in SAME_NUMBERS and node.input:
                origins[node.output[0]] = origins.get(node.input[0], node.input[0])
        return left, origins

    def evaluated(
        self, node: onnx.NodeProto, constants: Mapping[str, NDArray[Any]]
    ) -> Arrays | None:
        """What a node of constants makes; None when it cannot be worked out.

        Raises `TooLarge`.
        """
        if node.op_type in NEVER or node.domain not in ("", "ai.onnx") or not any(node.output):
            return None
        if node.op_type == "Constant":
            return constant(node)
        feeds = {name: constants[name] for name in node.input if name}
        model = model_of(node, feeds, self.opset)
        self.check(model, feeds)
        try:
            results = ReferenceEvaluator(model).run(None, feeds)
        except Exception:  # the evaluator raises whatever its NumPy code does
            return None
        arrays = [value for value in results if isinstance(value, np.ndarray | np.generic)]
        if len(arrays) != len(results):  # a sequence or an optional value
            return None
        outputs = [name for name in node.output if name]
        made = dict(zip(outputs, map(np.asarray, arrays), strict=True))
        self.left -= sum(value.nbytes for value in made.values())
        return made

    def check(self, model: onnx.ModelProto, feeds: Arrays) -> None:
        """Raise `TooLarge` for a node whose results, or the work for them, have no measure."""
        (node,) = model.graph.node
        most = largest_made(model, feeds)
        given = max((value.size for value in feeds.values()), default=0)
        if most > max(LARGEST, given) or most * 4 > self.left:
            raise TooLarge(f"it makes a constant of {most:,} numbers")
        longest = max((size for value in feeds.values() for size in value.shape), default=1)
        if node.op_type in PRODUCTS and most * longest > MOST_PRODUCTS:
            raise TooLarge(f"it makes a constant by {most * longest:,} multiplications")


def model_of(node: onnx.NodeProto, feeds: Arrays, opset: int) -> onnx.ModelProto:
    """One node as a model of its own."""
    graph = onnx.helper.make_graph(
        [node],
        "constant",
        [
            onnx.helper.make_tensor_value_info(
                name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in feeds.items()
        ],
        [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])


def largest_made(model: onnx.ModelProto, feeds: Arrays) -> int:
    """How many numbers the largest result of a node has; at most so many, where it is not known.

    Short lists among the inputs, which may be sizes, are known to the inference by their values.
    """
    known = onnx.ModelProto()
    known.CopyFrom(model)
    lists = {name: value for name, value in feeds.items() if value.size <= MOST_SIZES}
    for name, value in lists.items():
        known.graph.initializer.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
    numbers = max((value.size for value in feeds.values()), default=1)
    counts = [abs(int(n)) for v in lists.values() if v.dtype.kind in "iu" for n in v.ravel()]
    try:
        inferred = onnx.shape_inference.infer_shapes(known).graph
    except Exception:  # from C++, for a node whose inputs do not fit
        return 0
    most = 0
    for info in inferred.output:
        dims = info.type.tensor_type.shape.dim
        if info.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
            most = max(most, math.prod(max(d.dim_value, 0) for d in dims))
        else:
            most = max(most, numbers * max(counts, default=1))
    return most


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


def array_of(tensor: onnx.TensorProto) -> NDArray[Any]:
    """The numbers of a tensor of the file; raises `UnreadableError`."""
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, LookupError, OSError, AttributeError) as error:
        raise UnreadableError(f"the initializer {tensor.name} is broken: {error}") from None
