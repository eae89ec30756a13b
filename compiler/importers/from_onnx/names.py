"""What an ONNX model's own names say of its layers.

PyTorch, and netc itself, name an initializer by the path of the module and `weight` or `bias`; so
the layer is the path. Other exporters name the initializer after the layer too, with an ending of
their own (`conv1_w_0`, `conv1/kernel:0`). Numbers that an exporter counted up name nothing.
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
    r"(onnx::\w+|val_\d+|_?\d+|const\w*_?\d*|(/?[A-Za-z]+_?)?(Op|Conv|Gemm|MatMul)_?\d+|node_\w+)"
)
WINDOWED = {"MaxPool", "AveragePool", "LpPool", "LRN", "InstanceNormalization"}


def stem(initializer: str) -> str:
    """The layer that an initializer's name speaks of, or the empty string."""
    shorter = ENDINGS.sub("", initializer)
    if shorter == initializer or COUNTED.fullmatch(shorter):
        return ""
    return clean_label(shorter)


def layer_name(operator: Operator, holders: Sequence[str]) -> tuple[str, bool]:
    """A layer's name, and whether it is the source's own and must stay.

    `holders` are the initializers that hold its parameters. A layer with parameters is called as
    they say, else as the operator; one without keeps the name that netc once gave it.
    """
    for holder in holders:
        found = stem(holder)
        if found:
            return found, True
    own = clean_label(operator.layer or operator.name)
    if holders:
        meant = operator.named and not COUNTED.fullmatch(own) and own
        return own, bool(meant)
    if operator.layer and operator.type in WINDOWED:
        return clean_label(operator.layer), True
    return own, False
