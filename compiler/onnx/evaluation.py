"""A graph as it is after training, with its parameters as inputs: what is measured in between.

The step's model has every layer in training mode; this one has the outputs of a graph, one row a
sample, from the same parameters, which stay where they are on the device.
"""

from __future__ import annotations

import onnx

from compiler.graph import Graph
from compiler.onnx.precision import OPSETS
from compiler.onnx.step import batch_infos, batched, float_infos, model_of, write_layers


def build_evaluation(graph: Graph, *, opset: int = OPSETS["f32"]) -> onnx.ModelProto:
    """The model of a graph whose inputs are the batch and every array by its name."""
    lowering, _ = write_layers(graph, opset)
    arrays = {name: weight.shape for name, weight in graph.parameters().items()}
    outputs = {name: lowering.tensor_of[node] for name, node in graph.outputs.items()}
    shapes = {name: batched(graph[node]) for name, node in graph.outputs.items()}
    return model_of(lowering, [*batch_infos(graph), *float_infos(arrays)], outputs, shapes)
