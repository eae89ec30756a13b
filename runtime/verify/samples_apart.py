"""Whether a model makes of each sample what it would make of it alone, whatever the others are.

Told by its operators and the number of axes of its tensors only; a model that is not known to keep
its samples apart may do so all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

# With constants behind the first input; but for a Gemm that takes it transposed, and the statistics
# of a batch.
ONE_TENSOR = frozenset(
    {
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Conv",
        "ConvTranspose",
        "Dropout",
        "Elu",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "InstanceNormalization",
        "LRN",
        "LeakyRelu",
        "LpPool",
        "MaxPool",
        "PRelu",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softplus",
        "Tanh",
    }
)
JOINS = frozenset({"Add", "Div", "Mul", "Sub"})  # of tensors with as many axes
ALONG = frozenset({"Concat", "Flatten", "LogSoftmax", "Softmax"})  # an axis that is said


def keeps_samples_apart(model: onnx.ModelProto) -> bool:
    """Whether every operator is known to treat each sample, axis 0, by itself."""
    constants = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    inputs = (info for info in model.graph.input if info.name not in constants)
    axes = {info.name: len(info.type.tensor_type.shape.dim) for info in inputs}
    for node in model.graph.node:
        if node.domain or not is_apart(node, axes, constants):
            return False
        first = next(axes[name] for name in node.input if name in axes)
        made = 2 if node.op_type in ("Flatten", "Gemm") else first
        axes |= dict.fromkeys(node.output, made)
    return True


def is_apart(node: onnx.NodeProto, axes: Mapping[str, int], constants: Mapping[str, int]) -> bool:
    """Whether a node is known to treat samples by themselves; the numbers of axes are by names."""
    numbers = {attribute.name: attribute.i for attribute in node.attribute}
    taken = [axes[name] for name in node.input if name in axes]
    fixed = [constants[name] for name in node.input if name in constants]
    if len(taken) + len(fixed) != len(node.input) or len(set(taken)) != 1:
        return False
    if node.op_type in JOINS:
        # Fewer axes line up at the end, where the batch of a tensor would meet another axis; a
        # constant of more than one number along axis 0 would make a batch of that size.
        return max(fixed, default=0) <= taken[0]
    if node.op_type in ALONG:
        return numbers.get("axis", 0) > 0 and not fixed
    if numbers.get("transA") or numbers.get("training_mode"):
        return False
    return node.op_type in ONE_TENSOR and len(taken) == 1 and node.input[0] in axes
