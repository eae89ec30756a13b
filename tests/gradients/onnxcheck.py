"""Derivatives by ONNX Runtime held against NumPy's in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from compiler.graph import Graph, Input, Node
from compiler.initialise import scatter
from compiler.onnx.step import build_gradients
from compiler.ops.base import Op
from compiler.ops.joins import Mul
from compiler.ops.losses import ClassLoss, Total
from compiler.ops.shapes import known
from compiler.training.layout import BY_TENSOR, GRADIENT
from runtime.backward import backward
from tests.opcheck import PLACE, one_op

RTOL, ATOL = 1e-4, 1e-5


def session_of(model: onnx.ModelProto) -> ort.InferenceSession:
    """A checked model on the CPU, in one thread."""
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def weighted(op: Op, *shapes: tuple[int, ...], seed: int = 0) -> Graph:
    """The sum of an op's output times numbers that are fed: every derivative counts."""
    graph = one_op(op, *shapes)
    nodes = {node.name: node for node in graph.nodes()}
    if takes_classes(op, *shapes):
        nodes["b"] = replace(nodes["b"], op=Input(dtype="i64"))
    shape = graph["layer"].shape
    summed = (
        Node("weights", Input(), (), shape, PLACE),
        Node("product", Mul(), ("layer", "weights"), shape, PLACE),
        Node("total", Total(), ("product",), (), PLACE),
    )
    whole = graph.rebuilt((*nodes.values(), *summed), outputs={"objective": "total"})
    return scatter(whole, seed)


def takes_classes(op: Op, *shapes: tuple[int, ...]) -> bool:
    """Whether the second input holds whole numbers."""
    return isinstance(op, ClassLoss) and len(shapes[1]) < len(shapes[0])


def check_op(
    op: Op, *shapes: tuple[int, ...], seed: int = 0, inputs: tuple[Any, ...] | None = None
) -> None:
    """Assert that ONNX Runtime and NumPy agree on the derivatives of an op by all it takes."""
    random = np.random.default_rng(seed)
    graph = weighted(op, *shapes, seed=seed)
    if inputs is None:
        inputs = tuple(random.standard_normal((3, *shape)) for shape in shapes)
    feeds = dict(zip("abcdefgh", inputs, strict=False))
    shape = known(graph["layer"].shape, op.name)
    feeds["weights"] = random.standard_normal((len(inputs[0]), *shape))
    kinds = {node.name: np.int64 if is_whole(node) else np.float32 for node in graph.inputs()}
    check_graph(graph, {name: x.astype(kinds[name]) for name, x in feeds.items()}, "objective")


def is_whole(node: Node) -> bool:
    """Whether an input holds whole numbers."""
    return isinstance(node.op, Input) and node.op.dtype == "i64"


def check_graph(graph: Graph, feeds: dict[str, Any], objective: str) -> None:
    """Assert that both agree on the derivatives of an output by all inputs and parameters."""
    exact = backward(graph, feeds, objective)
    index = next((n.inputs[p] for n in graph.nodes() for p in n.op.whole_inputs), "")
    learned = [name for name, weight in graph.parameters().items() if not weight.buffer]
    floats = [node.name for node in graph.inputs() if not is_whole(node) and node.name != index]
    session = session_of(build_gradients(graph, objective, learned, floats))
    given = {node.name: feeds[node.name] for node in graph.inputs()} | dict(graph.values)
    wanted = {info.name for info in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {n: given[n] for n in wanted}), strict=True))
    np.testing.assert_allclose(found["loss"], exact.objective, rtol=RTOL, atol=ATOL)
    tensors = {BY_TENSOR + name: value for name, value in exact.by_tensor.items()}
    arrays = {GRADIENT + name: value for name, value in exact.by_parameter.items()}
    for name, value in {**tensors, **arrays}.items():
        scale = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(found[name], value, rtol=RTOL, atol=ATOL * scale, err_msg=name)
