"""A model repository for NVIDIA's Triton: the model, its class names, and how it is served.

    FOLDER/NAME/config.pbtxt     inputs, outputs, batches; Triton's ModelConfig in protobuf's text
    FOLDER/NAME/OUTPUT.txt       class names, one a line, of each output that has them
    FOLDER/NAME/1/model.onnx     the model, which takes pixels where an input is a picture

https://github.com/triton-inference-server/server/blob/main/docs/user_guide/model_repository.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx

from compiler.graph import Graph, Input
from compiler.options import CompileOptions
from netc.net import Net
from runtime.errors import CallError
from runtime.files import reasons, write_whole
from runtime.models import write_model

LARGEST = 8  # samples of a batch; a line of the config, for whoever knows the machine
TYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "TYPE_FP32",
    onnx.TensorProto.FLOAT16: "TYPE_FP16",
    onnx.TensorProto.BFLOAT16: "TYPE_BF16",
    onnx.TensorProto.UINT8: "TYPE_UINT8",
    onnx.TensorProto.INT64: "TYPE_INT64",
}


def write_repository(
    net: Net, folder: Path, options: CompileOptions, external: bool | None = None
) -> Path:
    """Write a net's part of a repository; returns its folder, `folder/NAME`.

    Inputs that say `from picture(…)` take pixels, in the layout that `options.embed` says, by
    default nhwc. The config comes last, so that Triton finds a model that is whole.
    """
    pictured = any(isinstance(n.op, Input) and n.op.picture is not None for n in net.graph.inputs())
    if options.embed is None and pictured:
        options = replace(options, embed="nhwc")
    model = net.model_of(options)
    place = folder / net.name
    with reasons(place):
        (place / "1").mkdir(parents=True, exist_ok=True)
    write_model(model, place / "1" / "model.onnx", external=external)
    for output, labels in net.graph.labels.items():
        write_whole(place / f"{output}.txt", "".join(f"{name}\n" for name in labels).encode())
    write_whole(place / "config.pbtxt", config(model, net.graph, options.batch).encode())
    return place


def config(model: onnx.ModelProto, graph: Graph, batch: int | None = None) -> str:
    """The config of a model whose batch is any number, or the number that it was fixed to."""
    lines = [f"name: {quoted(graph.name)}", 'backend: "onnxruntime"']
    lines.append(f"max_batch_size: {0 if batch else LARGEST}")
    for kind, values in (("input", model.graph.input), ("output", model.graph.output)):
        for value in values:
            lines += [f"{kind} {{", *tensor_lines(value, graph, kind, batch is not None), "}"]
    if not batch:
        lines += ["# What waits while the model is busy is its next batch.", "dynamic_batching { }"]
    return "\n".join(lines) + "\n"


def tensor_lines(value: onnx.ValueInfoProto, graph: Graph, kind: str, whole: bool) -> Iterator[str]:
    """What a config says of an input or output; its sizes with the batch if `whole`."""
    kept = value.type.tensor_type
    if kept.elem_type not in TYPES:
        raise CallError(f"Triton has no type for {value.name}")
    sizes = [d.dim_value if d.HasField("dim_value") else -1 for d in kept.shape.dim]
    yield f"  name: {quoted(value.name)}"
    yield f"  data_type: {TYPES[kept.elem_type]}"
    own = sizes if whole else sizes[1:]
    yield f"  dims: [ {', '.join(map(str, own or [1]))} ]"
    if not own:  # a number a sample, for which Triton has no shape
        yield "  reshape { shape: [ ] }"
    if kind == "output" and value.name in graph.labels:
        yield f"  label_filename: {quoted(value.name + '.txt')}"


def quoted(text: str) -> str:
    """A text between quotes, as protobuf's text has it."""
    return json.dumps(text, ensure_ascii=False)
