"""What an ONNX model's own names say of its layers.

PyTorch, and netc itself, name an initializer by the path of the module and `weight` or `bias`; so
the layer is the path. Other exporters name the initializer after the layer too, with an ending of
their own (`conv1_w_0`, `conv1/kernel:0`). PyTorch also leaves the path of the module with each
node. Numbers that an exporter counted up name nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from compiler.importers.builder import clean_label
from compiler.importers.from_onnx.operators import Operator

ENDINGS = re.compile(
    r"[._/](weights?|bias(es)?|kernel|gamma|beta|scale|w|b|s|W|B|running_mean|running_var|mean|var"
    r"|riv|rm|moving_mean|moving_variance|depthwise_kernel|alpha|slope)(:0)?(_\d+)?$"
)
COUNTED = re.compile(
    r"(onnx::\w+|val_\d+|_?\d+|const\w*_?\d*|(/?[A-Za-z]+_?)?(Op|Conv|Gemm|MatMul)_?\d*|node_\w+"
    r"|(Add|Sub|Mul|Div)(_\d+)?)"
)
PLAIN = re.compile(r"[._/](weights?|bias|w|b)(:0)?(_\d+)?$")
COMPUTES = re.compile(
    r"/(Conv[123]D|[Dd]epthwise(Conv2dNative)?|Conv2DTranspose|conv[123]d_transpose|MatMul)\d*(_\d+)?$"
)
WINDOWED = {"MaxPool", "AveragePool", "LpPool", "LRN", "InstanceNormalization"}


def is_of_code(constant: str) -> bool:
    """Whether a name is that of numbers in the code, which are no layer's own.

    So PyTorch calls what its code makes, and netc what it writes for a layer's arguments.

    >>> is_of_code("/sharpen/Constant_output_0"), is_of_code("sharpen.weight")
    (True, False)
    """
    return constant.startswith("/") or "/constant_" in constant


def fused(name: str) -> str:
    """The layer that a name of several stands for, as TensorFlow Lite joins them.

    >>> fused("net/bn/FusedBatchNormV3;net/bn/ReadVariableOp;net/stem/Conv2D")
    'net/stem'
    """
    parts = [part for part in name.split(";") if part]
    if len(parts) < 2:
        return name
    found = next((p for p in parts if COMPUTES.search(p)), min(parts, key=len))
    return COMPUTES.sub("", found)


def stem(initializer: str, factor: bool = False) -> str:
    """The layer that an initializer's name speaks of, or the empty string.

    A `factor` or offset of its own (`block.0.gamma`) is a layer, not a part of one.
    """
    if ";" in initializer:
        return clean_label(fused(initializer))
    own = factor and not PLAIN.search(initializer)
    shorter = initializer if own else ENDINGS.sub("", initializer)
    if own and "." in initializer and not COUNTED.fullmatch(initializer):
        return clean_label(initializer)
    if shorter == initializer or COUNTED.fullmatch(shorter):
        return ""
    return clean_label(shorter)


def is_parameter(initializer: str) -> bool:
    """Whether a name is that of a parameter of a PyTorch module, and no weight or bias.

    >>> is_parameter("blocks.0.gamma"), is_parameter("norm.weight"), is_parameter("Mul/y:0")
    (True, False, False)
    >>> is_parameter("norm.scale_weight"), is_parameter("norm_w")
    (True, False)
    """
    path = re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", initializer)
    module, _, own = initializer.rpartition(".")
    plain = own in ("weight", "bias") if module else PLAIN.search(initializer)
    return bool(path) and not plain and not COUNTED.fullmatch(initializer)


def module_path(name: str) -> str:
    """The path of a PyTorch module in a node's name, or the empty string.

    >>> module_path("/layer1/layer1.0/conv1/Conv"), module_path("/features/features.0/Conv")
    ('layer1.0.conv1', 'features.0')
    """
    if not name.startswith("/"):
        return ""
    path = ""
    last = ""
    for part in name.split("/")[1:-1]:
        nested = part.startswith(f"{last}.") and bool(last)
        path = path[: len(path) - len(last)] + part if nested else f"{path}.{part}".strip(".")
        last = part
    return clean_label(path)


def is_called(operator: Operator, holder: str) -> bool:
    """Whether an operator is in the very module that a parameter is of, called again perhaps.

    PyTorch counts the calls of a module, in their names: `/head/act_1/PRelu` is the second.
    """
    module = operator.module or module_path(operator.name)
    own = stem(holder)
    return bool(own) and re.fullmatch(rf"{re.escape(own)}(_\d+)?", module) is not None


def layer_name(operator: Operator, holders: Sequence[str], taken: bool) -> tuple[str, bool]:
    """A layer's name, and whether it is the source's own and must stay.

    `holders` are the initializers that hold its parameters. A layer with parameters is called as
    the first says, unless that is another layer's name (`taken`), else as the operator's module, as
    the others say (equal ones an exporter stores once, under one layer's name), or the operator;
    one without parameters keeps the name that netc once gave it.
    """
    module = operator.module or module_path(operator.name)
    stems = [stem(holder, operator.type in ("Mul", "Add", "Sub", "Div")) for holder in holders]
    for found in () if taken else (*stems[:1], module if holders else "", *stems[1:]):
        if found:
            return found, True
    own = clean_label(operator.layer or fused(operator.name))
    if holders:
        if module:
            return module, True
        return own, bool(operator.named and own and not COUNTED.fullmatch(own))
    if operator.layer and operator.type in WINDOWED:
        return clean_label(operator.layer), True
    return clean_label(operator.name), False
