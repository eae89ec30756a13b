"""An ONNX model as a plain list of operators, with a readable listing that messages point into."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from compiler.importers.from_onnx.constants import array_of, fold_constants
from compiler.importers.imported import UnreadableError
from grammar.source import Source, Span

OLDEST_OPSET = 7  # before it broadcasting had another form; onnx converts such models


@dataclass(frozen=True)
class Operator:
    """One ONNX node.

    `name` is its own if it is `named`, else that of its first output; `layer` what netc called it,
    `module` the path of its PyTorch module.

    An absent optional input or output is the empty string, as in ONNX.
    """

    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    name: str
    named: bool
    span: Span
    layer: str
    module: str

    @property
    def takes(self) -> set[str]:
        """The tensors that it takes, those that its branches take from outside among them."""
        graphs = [g for g in self.attributes.values() if isinstance(g, onnx.GraphProto)]
        return {*self.inputs, *(name for g in graphs for node in g.node for name in node.input)}


@dataclass(frozen=True)
class Declared:
    """An input or output of the model: sizes are ints, names, or None where nothing is said."""

    name: str
    sizes: tuple[int | str | None, ...] | None
    span: Span


@dataclass(frozen=True)
class OnnxModel:
    """A model taken apart: what goes in and out, its constants by name, its operators in order.

    `origins` gives for a constant in a new shape the name of the initializer that it was.
    """

    name: str
    opset: int
    producer: str
    source: Source
    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    constants: Mapping[str, NDArray[Any]]
    origins: Mapping[str, str]
    operators: tuple[Operator, ...]


def load_onnx(path: Path) -> onnx.ModelProto:
    """The model of a file with its external data; raises `UnreadableError` and `OSError`.

    That data lies beside the file itself, not beside a symbolic link to it.
    """
    try:
        return onnx.load(path.resolve() if path.is_symlink() else path)
    except (DecodeError, onnx.checker.ValidationError, ValueError, TypeError) as error:
        reason = (str(error).splitlines() or ["it cannot be parsed"])[0]
        raise UnreadableError(f"{path} is no ONNX model: {reason}") from None


def take_apart(model: onnx.ModelProto, name: str) -> OnnxModel:
    """The operators of a model's main graph; raises `UnreadableError`."""
    if not model.graph.node:
        raise UnreadableError(f"{name} has no nodes")
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
    if opset < OLDEST_OPSET:
        model = newer(model, name)
        opset = OLDEST_OPSET
    graph = model.graph
    constants = {tensor.name: array_of(tensor) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    nodes, origins = fold_constants(graph.node, constants, opset)
    rows = [f"input {value.name}" for value in inputs]
    rows += [listing(node) for node in nodes]
    rows += [f"output {value.name}" for value in graph.output]
    source = Source(name, "\n".join(rows))
    starts = [source.line_start(number) for number in range(1, len(rows) + 1)]
    spans = [Span(source, start, start + len(row)) for start, row in zip(starts, rows, strict=True)]
    first, last = len(inputs), len(inputs) + len(nodes)
    return OnnxModel(
        graph.name,
        opset,
        model.producer_name,
        source,
        tuple(declared(value, span) for value, span in zip(inputs, spans, strict=False)),
        tuple(declared(v, span) for v, span in zip(graph.output, spans[last:], strict=True)),
        constants,
        origins,
        tuple(operator(n, span) for n, span in zip(nodes, spans[first:last], strict=True)),
    )


def newer(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A model of an old opset in the oldest that is read, by onnx's own converter."""
    try:
        return onnx.version_converter.convert_version(model, OLDEST_OPSET)
    except (RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise UnreadableError(
            f"{name} has an opset before {OLDEST_OPSET} that onnx cannot convert: {reason}"
        ) from None


def listing(node: onnx.NodeProto) -> str:
    """A node on one line: `conv1 = Conv(image, conv1.weight) [stride 2]`."""
    inputs = ", ".join(node.input)
    return f"{', '.join(filter(None, node.output))} = {node.op_type}({inputs})"


def operator(node: onnx.NodeProto, span: Span) -> Operator:
    """A node with its attributes as Python values."""
    attributes = {a.name: plain(onnx.helper.get_attribute_value(a)) for a in node.attribute}
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    metadata = {m.key: m.value for m in node.metadata_props}
    name = node.name or next(filter(None, node.output), node.op_type)
    inputs, outputs = tuple(node.input), tuple(node.output)
    return Operator(
        kind,
        inputs,
        outputs,
        attributes,
        name,
        bool(node.name),
        span,
        metadata.get("netc.layer", ""),
        innermost_module(metadata.get("pkg.torch.onnx.name_scopes", "")),
    )


def innermost_module(scopes: str) -> str:
    """The path of the module that a node belongs to, of `['', 'layer1', 'layer1.0', 'conv2d']`."""
    paths = re.findall(r"'([^']*)'", scopes)
    return paths[-2] if len(paths) > 2 else ""


def plain(value: Any) -> Any:
    """An attribute's value: bytes as text, lists as tuples."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(plain(v) for v in value)
    return value


def declared(value: onnx.ValueInfoProto, span: Span) -> Declared:
    """An input's or output's name and sizes; no sizes when it is no tensor of known rank."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Declared(value.name, None, span)
    sizes: list[int | str | None] = [
        d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim
    ]
    return Declared(value.name, tuple(sizes), span)
