"""Parameters, MACs and memory counted apart from the analysis: on the ONNX model and on arrays."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Mapping
from math import prod

import numpy as np
import onnx

from compiler.analysis import BYTES, Analysis
from compiler.dims import evaluate
from compiler.graph import Graph
from compiler.onnx.emitter import tensor_names
from runtime.reference import interpret
from tests.differential.difference import Difference
from tests.differential.figures import Tensors

COUNTED = ("conv", "deconv", "filter", "weightedpool", "dense", "matmul")
BUFFERS = ("running_mean", "running_var")


def check_costs(
    graph: Graph,
    analysis: Analysis,
    model: onnx.ModelProto,
    exact: Tensors,
    sizes: Mapping[str, int],
) -> None:
    """The analysis against plain counts; `exact` holds each layer's tensor."""
    arrays = {i.name: prod(i.dims) for i in model.graph.initializer}
    held = {name: count for name, count in arrays.items() if "/constant_" not in name}
    fixed = {node.array("") for node in graph.nodes() if node.op.name == "const"}
    running = {name for name in held if name.rpartition(".")[2] in BUFFERS}
    buffers = sum(held[name] for name in running | (fixed & held.keys()))
    expect("buffers", analysis.buffers, buffers)
    expect("params", analysis.parameters, sum(held.values()) - buffers)
    expect("MACs", evaluate(analysis.macs, sizes), macs_of(graph, model, exact))
    if analysis.peak is not None:
        expect("peak memory", analysis.peak, peak_of(graph, exact))


def expect(what: str, claimed: int, counted: int) -> None:
    """Raise `Difference` unless the two are equal."""
    if claimed != counted:
        raise Difference("costs", f"{what}: the analysis says {claimed}, counted {counted}")


def macs_of(graph: Graph, model: onnx.ModelProto, exact: Tensors) -> int:
    """Multiply-accumulates per sample of the nodes of those layers that count."""
    weights = {i.name: tuple(i.dims) for i in model.graph.initializer}
    producers = {output: node for node in model.graph.node for output in node.output}
    layers = {name: layer for layer, name in tensor_names(graph).items()}
    total = 0
    for node in model.graph.node:
        said = {entry.key: entry.value for entry in node.metadata_props}
        counted = node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul")
        if not counted or said["netc.op"] not in COUNTED:
            continue
        if node.op_type == "MatMul":  # rows times columns times what is summed
            made = exact[said["netc.layer"]][0]
            if said["netc.op"] == "matmul":
                total += made.size * exact[graph[said["netc.layer"]].inputs[0]].shape[-1]
                continue
            turned = (producers[n] for n in node.input if n in producers)
            held = [n for n in (*node.input, *(t.input[0] for t in turned)) if n in weights]
            _, features = weights[held[0]]
            total += made.size * features
            continue
        weight = weights[node.input[1]]
        if node.op_type == "Gemm":
            total += prod(weight)
            continue
        tensor = node.input[0] if node.op_type == "ConvTranspose" else node.output[0]
        positions = prod(exact[layers[tensor]].shape[2:])
        total += prod(weight) * positions
    return total


def peak_of(graph: Graph, exact: Tensors) -> int:
    """The most bytes a sample that the interpreter holds at once, as float32, outputs kept.

    While a layer is worked out its inputs and its output are there together.
    """
    count = {name: value[0].size for name, value in exact.items()}
    feeds = {name: exact[name] for name in (node.name for node in graph.inputs())}
    outputs = set(graph.outputs.values())
    running = interpret(graph, feeds, np.float64)
    assert isinstance(running, Generator)
    before: set[str] = set()
    peak = 0
    for node, _ in running:
        peak = max(peak, sum(count[name] for name in before | {node.name}))
        done = {node.name} if node.name in outputs else set()
        kept = (before & outputs) | done
        before = set(inspect.getgeneratorlocals(running)["live"]) | kept
    return peak * BYTES
