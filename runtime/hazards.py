"""What ends the process inside ONNX Runtime, where a model's other faults are only told.

It divides by attributes, or counts with what 32 bits leave of them; it reads inputs that are not
there, divides by how many numbers a constant has, and deals out no work to its threads (1.31.1:
found by setting each number of its operators to 0, -1 and beyond 32 bits, leaving out each input,
and emptying each, in a process of its own). No `except` catches that, so a model is looked through
before it is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import onnx
from onnx import AttributeProto

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Limit:
    """The numbers that an attribute may have: above or from `least` on, up to `most`."""

    least: int
    most: int = LARGEST
    above: bool = False

    def complaint(self, attribute: AttributeProto) -> str | None:
        """What is wrong with an attribute's number; None where nothing is."""
        if attribute.type not in (AttributeProto.INT, AttributeProto.FLOAT):
            return None  # ONNX Runtime refuses another type
        value = attribute.f if attribute.type == AttributeProto.FLOAT else attribute.i
        if value <= self.most and (value > self.least if self.above else value >= self.least):
            return None
        least = f"more than {self.least}" if self.above else f"from {self.least}"
        return f"{attribute.name}={value}, and it must be {least} to {self.most:,}"


COUNT = Limit(1)
HEADS = {"num_heads": COUNT, "q_num_heads": COUNT, "kv_num_heads": COUNT}
DEVIATION = {"scale": Limit(0, above=True)}
LIMITS: Mapping[str, Mapping[str, Limit]] = {
    "Attention": HEADS,
    "ConvTranspose": {"group": COUNT},
    "ConvTransposeWithDynamicPads": {"group": COUNT},
    "DepthToSpace": {"blocksize": COUNT},
    "GatherND": {"batch_dims": Limit(0, 64)},
    "GroupQueryAttention": HEADS,
    "RandomNormal": DEVIATION,
    "RandomNormalLike": DEVIATION,
    "RoiAlign": {"sampling_ratio": Limit(0)},
    "SpaceToDepth": {"blocksize": COUNT},
}

ALL = -1  # in place of an input's number
# Inputs that are read though their name is empty; of com.microsoft's Attention also where the list
# of inputs ends before it.
READ: Mapping[str, int] = {
    "Attention": 2,
    "Einsum": ALL,
    "LayerNormalization": 2,
    "Max": ALL,
    "Mean": ALL,
    "Min": ALL,
    "Sum": ALL,
}
# Inputs by whose number of values it divides, or of which it reads the first.
DIVIDED_BY: Mapping[str, int] = {
    "OneHot": 1,
    "STFT": 2,
    "SkipLayerNormalization": 1,
    "SkipSimplifiedLayerNormalization": 1,
}
# Its threads die of a sample or a step that is not there: one of no values, a batch of none.
RECURRENT = frozenset({"LSTM", "GRU", "DynamicQuantizeLSTM"})
HIDING = frozenset({"If", "Loop", "Scan"})  # which hold nodes that a session does not tell of


def hazards(
    graphs: Iterable[onnx.GraphProto], functions: Iterable[onnx.FunctionProto]
) -> Iterator[str]:
    """What in a model would end the process; a function's attribute may come from its caller."""
    graphs = list(graphs)
    nodes = [node for graph in graphs for node in graph.node]
    empty = {t.name for graph in graphs for t in graph.initializer if 0 in t.dims}
    passed = handed_down(nodes)
    given: list[tuple[str, AttributeProto, Mapping[str, Limit]]] = [
        (f"the function {f.name}", a, passed) for f in functions for a in f.attribute_proto
    ]
    for node in nodes:
        limits = LIMITS.get(node.op_type, passed)
        title = f"{node.op_type} {node.name or next(filter(None, node.output), '')}"
        yield from (f"{title} has {complaint}" for complaint in of_inputs(node, empty))
        given += [(title, attribute, limits) for attribute in node.attribute]
    for title, attribute, limits in given:
        limit = limits.get(attribute.name)
        complaint = limit.complaint(attribute) if limit and not attribute.ref_attr_name else None
        if complaint is not None:
            yield f"{title} has {complaint}"


def of_inputs(node: onnx.NodeProto, empty: Collection[str]) -> Iterator[str]:
    """What is wrong with the inputs of a node; `empty` are the constants without values."""
    read = READ.get(node.op_type) if node.domain != "com.microsoft" else None
    if (node.domain, node.op_type) == ("com.microsoft", "Attention"):
        read = READ["Attention"]
        if len(node.input) <= read:
            yield f"no input {read}, which ONNX Runtime reads all the same"
    elif node.op_type == "Attention":
        return  # ONNX's own does without
    for place, name in enumerate(node.input):
        if not name and read in (place, ALL):
            yield f"no input {place}, which ONNX Runtime reads all the same"
        if name in empty and DIVIDED_BY.get(node.op_type) == place:
            yield f"no values in its input {name}"


def of_nothing(model: onnx.ModelProto, graphs: Iterable[onnx.GraphProto]) -> Iterator[str]:
    """The recurrent layers of a model that are given tensors without values, as far as known."""
    if not any(node.op_type in RECURRENT for graph in graphs for node in graph.node):
        return
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # from C++; what is wrong with the model ONNX Runtime will say
        inferred = model
    graph = inferred.graph
    empty = {info.name for info in (*graph.input, *graph.value_info) if is_empty(info)}
    empty |= {tensor.name for tensor in graph.initializer if 0 in tensor.dims}
    for node in graph.node:
        if node.op_type in RECURRENT:
            title = f"{node.op_type} {node.name or next(filter(None, node.output), '')}"
            yield from (f"{title} has no values in its input {n}" for n in node.input if n in empty)


def is_empty(info: onnx.ValueInfoProto) -> bool:
    """Whether one of a tensor's sizes is known to be 0."""
    sizes = info.type.tensor_type.shape.dim
    return any(size.HasField("dim_value") and size.dim_value == 0 for size in sizes)


def handed_down(nodes: Iterable[onnx.NodeProto]) -> dict[str, Limit]:
    """The attributes of functions, by name, that become one with a limit, through others too."""
    found: dict[str, Limit] = {}
    while True:
        known = len(found)
        for node in nodes:
            for attribute in node.attribute:
                limit = LIMITS.get(node.op_type, found).get(attribute.name)
                if limit is not None and attribute.ref_attr_name:
                    found[attribute.ref_attr_name] = limit
        if len(found) == known:
            return found
