"""Inputs, and one run of a net on each engine; how far rounding alone can move a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime as ort

from compiler.dims import evaluate
from compiler.graph import Graph, Input, is_whole, limits_of
from compiler.ops.activate import Elu, Selu
from compiler.ops.base import Op
from compiler.ops.normalise import GroupNorm, InstanceNorm, LayerNorm
from runtime.reference import compute, interpret, symbol_values

Tensors: TypeAlias = dict[str, Any]

ROUNDING = 2.0**-22  # a few roundings of float32
TRIALS = 3


def random_inputs(graph: Graph, sizes: Mapping[str, int], seed: int, batch: int) -> Tensors:
    """Standard normal numbers for every input, batch first."""
    random = np.random.default_rng(seed)
    limits = limits_of(graph)
    found: Tensors = {}
    for node in graph.inputs():
        shape = (batch, *(evaluate(size, sizes) for size in node.shape))
        found[node.name] = random.standard_normal(shape).astype(np.float32)
        if is_whole(node):
            found[node.name] = random.integers(0, limits.get(node.name, 2), shape)
    return found


def on_numpy(graph: Graph, feeds: Tensors, dtype: Any) -> Tensors:
    """Every layer's tensor from the interpreter."""
    return {node.name: value for node, value in interpret(graph, feeds, dtype)}


def open_onnx(model: onnx.ModelProto, *, optimise: bool) -> ort.InferenceSession:
    """A model on ONNX Runtime's CPU in one thread, with or without its own rewrites."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def on_onnx(session: ort.InferenceSession, feeds: Tensors) -> Tensors:
    """Every output of the model."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def rounding_of(graph: Graph, feeds: Tensors, exact: Tensors) -> dict[str, float]:
    """How far each tensor moves when every layer before it is off by a few roundings of float32.

    In float64, with the noise of each layer measured by the largest number in it. Where this is
    large, two engines differ although both are right.
    """
    random = np.random.default_rng(0)
    moved = dict.fromkeys(exact, 0.0)
    sizes = symbol_values(tuple(graph.nodes()), feeds)
    for _ in range(TRIALS):
        values: Tensors = {}
        for node in graph.nodes():
            if isinstance(node.op, Input):
                values[node.name] = feeds[node.name].astype(np.float64)
                continue
            inputs = tuple(values[name] for name in node.inputs)
            value = compute(graph, node, inputs, sizes, np.float64)
            largest = np.abs(value).max() + inside(node.op, inputs)
            noise = random.uniform(-1, 1, value.shape) * ROUNDING * largest
            values[node.name] = value + noise
            distance = float(np.abs(values[node.name] - exact[node.name]).max())
            moved[node.name] = max(moved[node.name], distance)
    return moved


def inside(op: Op, inputs: tuple[Any, ...]) -> float:
    """The largest number in a layer before another is taken off; 0 for other ops.

    That is the mean in a normalisation, and the 1 of e^x - 1. An engine may divide the input by its
    deviation first, and a map of one pixel has none but eps.
    """
    x: Any = inputs[0] if inputs else None
    match op:
        case InstanceNorm(eps=eps):
            parts = x.reshape(*x.shape[:2], -1)
        case GroupNorm(groups=groups, eps=eps):
            parts = x.reshape(len(x), groups, -1)
        case LayerNorm(eps=eps, axis=axis):
            over = [axis] if isinstance(axis, int) else axis or range(x.ndim - 1)
            inner = [each % (x.ndim - 1) + 1 for each in over]
            outer = [each for each in range(x.ndim) if each not in inner]
            parts = x.transpose(*outer, *inner).reshape(*(x.shape[each] for each in outer), -1)
        case Elu() | Selu():
            return float(np.exp(np.minimum(x, 0)).max())
        case _:
            return 0.0
    return float((np.abs(parts).max(axis=-1) / np.sqrt(parts.var(axis=-1) + eps)).max())
