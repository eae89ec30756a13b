"""ONNX files, read in one way by all that reads them, and told of in one way when they are broken.

A file may come from a stranger: what it names besides itself is checked before it is opened
(`external.py`), what it says of its tensors before NumPy is asked for them. Whether its operators
make sense is left to those who run or import them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import onnx
from onnx.external_data_helper import load_external_data_for_model

from runtime.errors import first_line
from runtime.external import ModelError, all_tensors, check_tensors
from runtime.files import no_file
from runtime.hazards import hazards, of_nothing

LARGEST_FILE = 2**31  # bytes; protobuf's own limit
MOST_NODES = 200_000
MOST_AXES = 64
KNOWN_TYPES = frozenset(onnx.TensorProto.DataType.values())


def read_model_file(path: Path) -> onnx.ModelProto:
    """A model with its external data, which is checked first; raises `ModelError`, `OSError`."""
    model = parse_model(path)
    place = real_place(path)
    check_tensors(model, place)
    try:
        load_external_data_for_model(model, str(place.parent))
    except Exception as error:  # of many kinds, from C++ too
        raise ModelError(
            f"the external data of {path} cannot be read: {first_line(error)}"
        ) from None
    if not model.graph.node:
        raise ModelError(f"{path} is no ONNX model: it has no nodes")
    return model


def parse_model(path: Path) -> onnx.ModelProto:
    """A model without its external data, sound in itself; raises `ModelError`, `OSError`."""
    if not path.is_file():
        raise ModelError(no_file(path))
    if path.stat().st_size >= LARGEST_FILE:
        raise ModelError(f"{path} is larger than the 2 GiB that an ONNX file may have")
    try:
        model = onnx.load_model(path, load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # protobuf's DecodeError, or what onnx makes of other formats
        raise ModelError(f"{path} is no ONNX model: {first_line(error)}") from None
    problem = next(problems(model), None)
    if problem is not None:
        raise ModelError(f"{path} is no ONNX model: {problem}")
    graphs = list(all_graphs(model))
    hazard = next(chain(hazards(graphs, model.functions), of_nothing(model, graphs)), None)
    if hazard is not None:
        raise ModelError(f"{path} is not opened: {hazard}")
    return model


def check_model_file(path: Path) -> tuple[Path, onnx.ModelProto]:
    """The file to open for a model that ONNX Runtime reads itself, and the model without its data.

    Everything that it reads besides it lies beside it then, and no operator ends the process.
    Raises `ModelError`.
    """
    place, model = real_place(path), parse_model(path)
    check_tensors(model, place)
    return place, model


def real_place(path: Path) -> Path:
    """Where a model lies, since external data lies beside the file, not beside a link to it."""
    return path.resolve() if path.is_symlink() else path


def problems(model: onnx.ModelProto) -> Iterator[str]:
    """What no model may have, whatever its operators are."""
    if not model.HasField("graph"):
        yield "it has no graph"
    graphs = list(all_graphs(model))
    count = sum(len(graph.node) for graph in graphs)
    if count > MOST_NODES:
        yield f"it has {count:,} nodes, and at most {MOST_NODES:,} are read"
    if any(isinstance(name, bytes) for graph in graphs for name in all_names(graph)):
        yield "a name in it is no UTF-8 text"
    if any(isinstance(word, bytes) for word in (model.producer_name, model.producer_version)):
        yield "the name of its producer is no UTF-8 text"
    for tensor in all_tensors(model):
        name = tensor.name or "without a name"
        if tensor.data_type not in KNOWN_TYPES:
            yield f"the tensor {name} has the unknown type {tensor.data_type}"
        if any(size < 0 for size in tensor.dims):
            yield f"the tensor {name} claims the shape {list(tensor.dims)}"
        if len(tensor.dims) > MOST_AXES:
            yield f"the tensor {name} has {len(tensor.dims)} axes"
    for graph in graphs:
        for info in (*graph.input, *graph.output):
            if info.type.tensor_type.elem_type not in KNOWN_TYPES:
                kind = info.type.tensor_type.elem_type
                yield f"the tensor {info.name} has the unknown type {kind}"


def all_graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The graph of a model and those in its nodes and functions; of these as bare graphs."""
    graphs = [model.graph, *(onnx.GraphProto(node=f.node) for f in model.functions)]
    while graphs:
        graph = graphs.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    graphs.append(attribute.g)
                graphs += attribute.graphs


def all_names(graph: onnx.GraphProto) -> Iterator[str | bytes]:
    """Every name that a graph gives; bytes is what protobuf makes of what is no text."""
    yield graph.name
    yield from (tensor.name for tensor in graph.initializer)
    for info in (*graph.input, *graph.output, *graph.value_info):
        yield info.name
        yield from (size.dim_param for size in info.type.tensor_type.shape.dim)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
        for entry in node.metadata_props:
            yield from (entry.key, entry.value)
