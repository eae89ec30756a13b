"""Lowering: a checked graph with numbers becomes an ONNX model.

Each layer writes its own nodes (`Op.lower`); this file gives it names, weights and constants and
puts the model together: symbolic batch `N` first, symbolic sizes as readable dim_params, source
line and block path in each node's metadata, and everything that `netc run` needs in the model's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from compiler.domain import Facts
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Attribute, Shape, Shapes
from compiler.verify import fault
from grammar.diagnostics import DefinitionError

# The IR version that came with each opset, so that a runtime which takes the opset takes the file.
IR_OF_OPSET = {
    13: 7,
    14: 7,
    15: 8,
    16: 8,
    17: 8,
    18: 8,
    19: 9,
    20: 9,
    21: 10,
    22: 10,
    23: 11,
    24: 11,
    25: 12,
    26: 13,
}
DEFAULT_OPSET = 21
LARGEST_CONSTANT = 2**24  # numbers that a layer repeats over its channels


class LayerEmitter:
    """The `Emitter` of one layer; collects its nodes and the constants it makes."""

    def __init__(self, lowering: Lowering, node: Node) -> None:
        graph = lowering.graph
        self.opset = lowering.opset
        self.facts: Facts = graph.facts
        self.inputs: Shapes = graph.input_shapes(node)
        self.output: Shape = node.shape
        self.layer = node
        self.nodes: list[onnx.NodeProto] = []
        self._lowering = lowering
        self._held = {weight.name for weight in graph.weights(node)}
        self._constants = 0

    def node(self, op_type: str, *inputs: str, **attributes: Attribute) -> str:
        """Add one ONNX node with a single output; returns the output's name."""
        name = f"{self.layer.name}/{op_type}"
        if any(n.name == name for n in self.nodes):
            name = f"{name}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op_type, list(inputs), [name], name=name, **cast(Any, attributes))
        )
        return name

    def weight(self, name: str) -> str:
        """The initializer that holds this layer's array `name`."""
        full = f"{self.layer.parameters_of}.{name}"
        self._lowering.add_initializer(full, self._lowering.graph.values[full])
        return full

    def has_weight(self, name: str) -> bool:
        """Whether this layer holds an array `name`."""
        return name in self._held

    def floats(self, values: Any, shape: Sequence[int] | None = None) -> str:
        """A constant from (nested) floats, repeated to fill `shape` where that is larger."""
        if shape is not None and math.prod(shape) > LARGEST_CONSTANT:
            message = f"{self.layer.op.name} takes more than {LARGEST_CONSTANT:_} fixed numbers"
            raise DefinitionError([fault(self.layer, "E209", message)])
        array = np.asarray(values, dtype=np.float32)
        return self._constant(array if shape is None else np.broadcast_to(array, tuple(shape)))

    def ints(self, values: Sequence[int] | int) -> str:
        """A constant of 64-bit integers, one-dimensional (a bare int gives a scalar)."""
        return self._constant(np.asarray(values, dtype=np.int64))

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"{self.layer.name}/constant_{self._constants}"
        self._constants += 1
        self._lowering.add_initializer(name, array)
        return name


class Lowering:
    """One lowering in progress: the model so far."""

    def __init__(self, graph: Graph, opset: int, batch: int | None) -> None:
        self.graph = graph
        self.opset = opset
        self.batch: int | str = "N" if batch is None else batch
        self.model = onnx.ModelProto(ir_version=IR_OF_OPSET[opset], producer_name="netc")
        self.model.opset_import.append(helper.make_opsetid("", opset))
        self.model.graph.name = graph.name
        self.held: set[str] = set()
        self.tensor_of = tensor_names(graph)

    def add_initializer(self, name: str, array: NDArray[Any]) -> None:
        """Put an array into the model once, copied no more often than protobuf must."""
        if name in self.held:
            return
        self.held.add(name)
        tensor = self.model.graph.initializer.add(name=name, dims=array.shape)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
        tensor.raw_data = little_endian.tobytes()

    def add_layer(self, node: Node) -> None:
        """Write the nodes of one layer; the last one carries the layer's name."""
        emit = LayerEmitter(self, node)
        inputs = tuple(self.tensor_of[name] for name in node.inputs)
        result = node.op.lower(emit, *inputs)
        if result in inputs:
            result = emit.node("Identity", result)
        for proto in emit.nodes:
            if proto.output[0] == result:
                proto.name = node.name
            rename(proto, result, self.tensor_of[node.name])
            set_metadata(proto, metadata_of(node))
        self.model.graph.node.extend(emit.nodes)

    def add_input(self, node: Node) -> None:
        """Declare what the caller feeds."""
        self.model.graph.input.append(self.value_info(self.tensor_of[node.name], node.shape))

    def add_output(self, name: str, node: Node) -> None:
        """Declare an output of the model: the tensor of a layer, or a copy where names differ."""
        tensor = self.tensor_of[node.name]
        if tensor != name:
            copy = helper.make_node("Identity", [tensor], [name], name=name)
            self.model.graph.node.append(copy)
        self.model.graph.output.append(self.value_info(name, node.shape))

    def value_info(self, name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> Any:
        """The type of a graph input or output: batch, then sizes or dim_params."""
        sizes = [size if isinstance(size, int) else str(size) for size in shape]
        return helper.make_tensor_value_info(name, dtype, [self.batch, *sizes])


def tensor_names(graph: Graph) -> dict[str, str]:
    """The ONNX tensor of each node: its own name, or that of the first output it serves."""
    names = {node.name: node.name for node in graph.nodes()}
    taken = set(graph.outputs)
    for name in names:
        if name in taken and graph.outputs[name] != name:
            names[name] = f"{name}/value"  # the output of that name is another layer's tensor
    for output, name in graph.outputs.items():
        if not isinstance(graph[name].op, Input) and names[name] not in graph.outputs:
            names[name] = output
    return names


def rename(proto: onnx.NodeProto, old: str, new: str) -> None:
    """Replace a tensor's name among the inputs and outputs of a node."""
    for names in (proto.input, proto.output):
        for index, name in enumerate(names):
            if name == old:
                names[index] = new


def metadata_of(node: Node) -> dict[str, str]:
    """What a node remembers of the definition: its source line, op and the blocks around it."""
    found = {
        "netc.source": f"{node.span.source.name}:{node.span.line}",
        "netc.op": node.op.name,
        "netc.layer": node.name,
    }
    if node.trail:
        found["netc.blocks"] = "/".join(call.block for call in node.trail)
    return found


def set_metadata(proto: Any, entries: dict[str, str]) -> None:
    """Write metadata_props in a fixed order."""
    for key in sorted(entries):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, entries[key]


def lower(
    graph: Graph,
    *,
    opset: int = DEFAULT_OPSET,
    batch: int | None = None,
    expose: bool = False,
    metadata: dict[str, str] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of a graph that has numbers for all its parameters.

    `batch` pins the batch size. With `expose` every layer's tensor is an output of the model,
    so that a run shows all of them.
    """
    lowering = Lowering(graph, opset, batch)
    for node in graph.nodes():
        if isinstance(node.op, Input):
            lowering.add_input(node)
        else:
            lowering.add_layer(node)
    for output, name in graph.outputs.items():
        lowering.add_output(output, graph[name])
    if expose:
        shown = {info.name for info in lowering.model.graph.output}
        for node in graph.nodes():
            tensor = lowering.tensor_of[node.name]
            if not isinstance(node.op, Input) and tensor not in shown:
                lowering.add_output(tensor, node)
    set_metadata(lowering.model, model_metadata(graph) | (metadata or {}))
    return lowering.model


def model_metadata(graph: Graph) -> dict[str, str]:
    """What `netc run` needs to know of a compiled model: pictures, class names, valid sizes."""
    found = {"netc.net": graph.name}
    for node in graph.inputs():
        if isinstance(node.op, Input) and node.op.picture is not None:
            found[f"netc.picture.{node.name}"] = json.dumps(node.op.picture.as_dict())
    for output, names in graph.labels.items():
        found[f"netc.labels.{output}"] = json.dumps(list(names))
    if graph.domain is not None and graph.domain.lines():
        found["netc.domain"] = json.dumps(graph.domain.lines())
    return found
