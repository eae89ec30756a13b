"""One op, run by NumPy and by ONNX Runtime, for the tests of every op."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from compiler.dims import symbol
from compiler.domain import Facts
from compiler.graph import Graph, Input, Node
from compiler.initialise import scatter
from compiler.lower import lower
from compiler.ops.base import Op
from compiler.shapes import infer
from grammar.source import Source, Span
from runtime.reference import run_reference

PLACE = Span(Source("op.netdef", "op"), 0, 2)


@dataclass(frozen=True)
class Result:
    """What an op made of its inputs: arrays by weight name, float64 reference, ONNX's output."""

    inputs: tuple[Any, ...]
    arrays: dict[str, Any]
    reference: Any
    onnx: Any


def one_op(op: Op, *shapes: tuple[Any, ...], facts: Facts | None = None) -> Graph:
    """A network that is this op alone, its inputs called a, b, …"""
    facts = facts or Facts()
    graph = Graph("one", outputs={"result": "layer"}, facts=facts)
    names = [chr(ord("a") + index) for index in range(len(shapes))]
    for name, shape in zip(names, shapes, strict=True):
        graph.add(Node(name, Input(), (), tuple(shape), PLACE))
    shape = infer(op, tuple(map(tuple, shapes)), facts)
    graph.add(Node("layer", op, tuple(names), shape, PLACE))
    return graph


def run_onnx(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """The outputs of a model on ONNX Runtime's CPU, its own rewrites off."""
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def check(
    op: Op,
    *shapes: tuple[int, ...],
    symbolic: bool = False,
    batch: int = 2,
    seed: int = 0,
    inputs: tuple[Any, ...] | None = None,
    opset: int = 21,
) -> Result:
    """Run `op` on random (or given) inputs on both devices and assert that they agree.

    Also asserts that the inferred shape is the shape of the result. With `symbolic` every size
    after the channels is a symbol in the graph, so that nothing in the model may depend on it.
    """
    random = np.random.default_rng(seed)
    if inputs is None:
        inputs = tuple(
            random.standard_normal((batch, *shape)).astype(np.float32) for shape in shapes
        )
    declared: list[tuple[Any, ...]] = [tuple(shape) for shape in shapes]
    if symbolic:
        names = ("D", "H", "W")
        declared = [(s[0], *(symbol(n) for n in names[4 - len(s) :])) for s in declared]
    graph = scatter(one_op(op, *declared), seed)
    feeds = dict(zip("abcdefgh", inputs, strict=False))
    reference = run_reference(graph, feeds, np.float64)["result"]
    single = run_reference(graph, feeds, np.float32)["result"]
    assert reference.dtype == np.float64 and single.dtype == np.float32
    (ours,) = run_onnx(lower(graph, opset=opset), feeds)
    expected = infer(op, tuple(map(tuple, shapes)), Facts())
    assert reference.shape[1:] == expected, f"inferred {expected}, computed {reference.shape[1:]}"
    np.testing.assert_allclose(single, reference, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-5)
    arrays = {name.removeprefix("layer."): value for name, value in graph.values.items()}
    return Result(inputs, arrays, reference, ours)
