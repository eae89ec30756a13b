"""Lowering: a checked graph with numbers becomes an ONNX model.

The table writes the nodes of each layer; this file gives it names, weights and constants and
puts the model together: symbolic batch `N` first, symbolic sizes as readable dim_params, source
line and block path in each node's metadata, and everything that `netc run` needs in the model's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper

from compiler.graph import Graph, Input, Node, at_layer, is_whole, limits_of
from compiler.onnx import LOWERINGS
from compiler.onnx.emitter import INTEGER, ONNX_TYPES, Emitter, Lowering
from compiler.onnx.precision import DTYPES, OPSETS, PrecisionError
from compiler.ops.base import Shape, ShapeError
from compiler.options import USUAL, CompileOptions
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


def lower(
    graph: Graph,
    options: CompileOptions = USUAL,
    *,
    expose: bool = False,
    doc: str = "",
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of a graph that has numbers for all its parameters.

    With `expose` every layer's tensor is an output of the model, so that a run shows all of them.
    `doc` describes it. Raises `PrecisionError`.
    """
    model, arrays = lower_apart(graph, options, expose=expose, doc=doc, metadata=metadata)
    for name, array in arrays.items():
        add_tensor(model, name, array)
    return model


def lower_apart(
    graph: Graph,
    options: CompileOptions = USUAL,
    *,
    expose: bool = False,
    doc: str = "",
    metadata: Mapping[str, str] | None = None,
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """What `lower` gives, its initializers as arrays beside it: a message would copy them."""
    for dtype in (options.dtype, options.io_dtype):
        if dtype not in DTYPES:
            raise PrecisionError(f"there is no type {dtype}; it is one of {', '.join(DTYPES)}")
    opset, batch = options.opset or OPSETS[options.dtype], options.batch
    if opset not in IR_OF_OPSET:
        raise PrecisionError(f"opsets are {min(IR_OF_OPSET)} to {max(IR_OF_OPSET)}, not {opset}")
    if batch is not None and batch < 1:
        raise PrecisionError(f"a batch has at least one sample, not {batch}")
    lowering = Lowering(graph, opset, batch, options.dtype, options.io_dtype)
    lowering.spread = expose
    inputs, outputs = [], []
    wanted = set(graph.outputs.values())
    for node in graph.nodes():
        if isinstance(node.op, Input):
            inputs.append(add_input(lowering, node))
        else:
            add_layer(lowering, node, expose or node.name in wanted)
    for output, name in graph.outputs.items():
        tensor = lowering.outside(name)
        if tensor != output:
            free = output if output not in graph else f"{output}/output"
            lowering.nodes.append(helper.make_node("Identity", [tensor], [output], name=free))
        outputs.append(value_info(lowering, output, graph[name].shape, lowering.io))
    if expose:
        names = {info.name for info in outputs}
        outputs += [
            value_info(lowering, lowering.outside(node.name), node.shape, lowering.io)
            for node in graph.nodes()
            if not isinstance(node.op, Input) and lowering.outside(node.name) not in names
        ]
    model = helper.make_model(
        helper.make_graph(
            lowering.nodes,
            graph.name,
            inputs,
            outputs,
            value_info=inner_tensors(lowering, {info.name for info in outputs}),
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=IR_OF_OPSET[opset],
        producer_name="netc",
        doc_string=doc,
    )
    precision = {} if options.dtype == "f32" else {"netc.dtype": options.dtype}
    set_metadata(model, {**model_metadata(graph), **precision, **(metadata or {})})
    return model, lowering.initializers


def add_input(lowering: Lowering, node: Node) -> onnx.ValueInfoProto:
    """Declare what a caller feeds."""
    name = lowering.tensor_of[node.name]
    kind = INTEGER if is_whole(node) else lowering.io
    lowering.kinds[name] = kind
    info = value_info(lowering, name, node.shape, kind)
    if isinstance(node.op, Input) and node.op.picture is not None:
        info.doc_string = node.op.picture.described(node.op.picture.channels(node.shape))
    return info


def add_layer(lowering: Lowering, node: Node, shown: bool) -> Emitter:
    """Write the nodes of one layer; the last one carries the layer's name. Returns its emitter.

    A layer that is `shown` has its tensor in the type of the model's outputs.
    """
    emit = Emitter(lowering, node)
    inputs = tuple(lowering.tensor_of[name] for name in node.inputs)
    try:
        with at_layer(node.name):
            result = LOWERINGS.functions[type(node.op)](node.op, emit, *inputs)
    except ShapeError as error:  # the shape rule should have said so before
        raise DefinitionError([fault(node, error.code, error.message, *error.notes)]) from None
    if not emit.nodes and not inputs:  # an initializer, which those who take it stretch
        lowering.tensor_of[node.name] = emit.held(result)
        return emit
    if result in inputs:
        result = emit.node("Identity", result)
    name, kind = lowering.tensor_of[node.name], lowering.kinds[result]
    own = f"{name}/{kind}" if shown and kind != lowering.io else name
    for proto in emit.nodes:
        if proto.output[0] == result:
            proto.name = node.name
        rename(proto, result, own)
    lowering.kinds[own], lowering.tensor_of[node.name] = kind, own
    if own != name:
        lowering.casts[own, lowering.io] = emit.cast(own, lowering.io, name)
    for proto in emit.nodes:
        set_metadata(proto, metadata_of(node))
    lowering.nodes += emit.nodes
    return emit


def inner_tensors(lowering: Lowering, known: set[str]) -> list[onnx.ValueInfoProto]:
    """The types of the layers' tensors that are not among the model's inputs and outputs."""
    layers = [node for node in lowering.graph.nodes() if not isinstance(node.op, Input)]
    named = [(lowering.tensor_of[node.name], node.shape) for node in layers]
    return [
        value_info(lowering, name, shape, lowering.kinds[name])
        for name, shape in named
        if name not in known and name not in lowering.initializers
    ]


def value_info(lowering: Lowering, name: str, shape: Shape, kind: str) -> onnx.ValueInfoProto:
    """The type of a tensor: its numbers, then batch and sizes or dim_params."""
    sizes = [size if isinstance(size, int) else str(size) for size in shape]
    return helper.make_tensor_value_info(name, ONNX_TYPES[kind], [lowering.batch, *sizes])


def rename(proto: onnx.NodeProto, old: str, new: str) -> None:
    """Replace a tensor's name among the inputs and outputs of a node."""
    for names in (proto.input, proto.output):
        for index, name in enumerate(names):
            if name == old:
                names[index] = new


def metadata_of(node: Node) -> dict[str, str]:
    """What a node remembers of the definition: its source line, op and the blocks around it."""
    found = {
        "netc.source": f"{file_name(node)}:{node.span.line}",
        "netc.op": node.op.name,
        "netc.layer": node.name,
    }
    if node.call_stack:
        found["netc.blocks"] = "/".join(call.block for call in node.call_stack)
    return found


def file_name(node: Node) -> str:
    """The definition's file without its folder: the bytes do not depend on where one stands."""
    source = node.span.source
    return source.path.name if source.path is not None else source.name


def set_metadata(proto: Any, entries: dict[str, str]) -> None:
    """Write metadata_props in a fixed order."""
    for key in sorted(entries):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, entries[key]


def add_tensor(model: onnx.ModelProto, name: str, array: NDArray[Any]) -> None:
    """Write an array into a model in place: protobuf copies no message beyond 2 GiB."""
    tensor = model.graph.initializer.add()
    tensor.name = name
    tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
    tensor.dims.extend(array.shape)
    tensor.raw_data = array.tobytes()


def model_metadata(graph: Graph) -> dict[str, str]:
    """What `netc run` needs to know of a compiled model: pictures, class names, valid sizes."""
    found = {"netc.net": graph.name}
    for node in graph.inputs():
        if isinstance(node.op, Input) and node.op.picture is not None:
            found[f"netc.picture.{node.name}"] = json.dumps(node.op.picture.as_dict())
    for name, limit in limits_of(graph).items():
        found[f"netc.below.{name}"] = json.dumps(limit)
    for output, names in graph.labels.items():
        found[f"netc.labels.{output}"] = json.dumps(list(names))
    if graph.domain is not None and graph.domain.lines():
        found["netc.domain"] = json.dumps(graph.domain.lines())
    return found
