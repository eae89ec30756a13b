"""bfloat16 models on a CPU: ONNX Runtime has no such kernels there, so the nodes are widened.

Each node that computes in bfloat16 gets its inputs cast to float32 and its result rounded back to
bfloat16: the numbers that a device with bfloat16 products and float32 sums would give.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper, shape_inference

from runtime.models import copy_fields, without_numbers

# Operators that move values without computing: the CPU has them for every type.
MOVES = frozenset(
    {
        *("Cast", "Identity", "Reshape", "Flatten", "Transpose", "Slice", "Split", "Concat"),
        *("Squeeze", "Unsqueeze", "Gather", "Shape", "Expand"),
    }
)


def has_bfloat16(model: onnx.ModelProto) -> bool:
    """Whether a model takes, holds or makes any bfloat16 tensor."""
    types = [t.data_type for t in model.graph.initializer]
    types += [i.type.tensor_type.elem_type for i in model.graph.input]
    return TensorProto.BFLOAT16 in types or any(
        attribute.name == "to" and attribute.i == TensorProto.BFLOAT16
        for node in model.graph.node
        for attribute in node.attribute
    )


def widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with every bfloat16 node computed in float32 and rounded afterwards.

    Requires a model without subgraphs; the initializers stay as they are.
    """
    narrow = bfloat16_tensors(model)
    result = onnx.ModelProto()
    copy_fields(model, result, {"graph"})
    copy_fields(model.graph, result.graph, {"node"})
    wide: dict[str, str] = {}
    for node in model.graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        rounded = []
        if node.op_type not in MOVES:
            for place, name in enumerate(node.input):
                if name in narrow:
                    if name not in wide:
                        wide[name] = f"{name}/widened"
                        result.graph.node.append(cast(name, wide[name], TensorProto.FLOAT))
                    copy.input[place] = wide[name]
            for place, name in enumerate(node.output):
                if name in narrow:
                    copy.output[place] = f"{name}/unrounded"
                    rounded.append(cast(copy.output[place], name, TensorProto.BFLOAT16))
        result.graph.node.append(copy)
        result.graph.node.extend(rounded)
    return result


def cast(source: str, target: str, to: int) -> onnx.NodeProto:
    """A Cast node."""
    return helper.make_node("Cast", [source], [target], name=f"{target}/cast", to=to)


def bfloat16_tensors(model: onnx.ModelProto) -> set[str]:
    """The names of all bfloat16 tensors, found by ONNX's type inference without the weights."""
    graph = shape_inference.infer_shapes(without_numbers(model)).graph
    known = [*graph.value_info, *graph.input, *graph.output]
    found = {v.name for v in known if v.type.tensor_type.elem_type == TensorProto.BFLOAT16}
    return found | {t.name for t in graph.initializer if t.data_type == TensorProto.BFLOAT16}
