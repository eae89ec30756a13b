"""What a network is, as plain data (`--format json`)."""

from __future__ import annotations

from typing import Any

from compiler.analysis import Analysis
from compiler.dims import Dim, Size
from compiler.graph import Graph, Input
from compiler.receptive_field import Field


def plain(size: Size) -> int | str:
    """A size as JSON has it: a number, or the closed form as text."""
    return size if isinstance(size, int) else str(size)


def plain_shape(shape: tuple[Size, ...]) -> list[int | str]:
    """A shape as JSON has it."""
    return [plain(size) for size in shape]


def plain_field(field: Field) -> dict[str, Any] | None:
    """A receptive field as JSON has it: size, stride and start for each axis."""
    if not field:
        return None
    return {
        "size": [plain(axis.size) for axis in field],
        "stride": [float(axis.stride) for axis in field],
        "start": [str(a.start) if isinstance(a.start, Dim) else float(a.start) for a in field],
    }


def net_summary(graph: Graph, analysis: Analysis) -> dict[str, Any]:
    """One network: totals, inputs, outputs, valid domain and layers."""
    return {
        "name": graph.name,
        "params": analysis.parameters,
        "trainable": analysis.trainable,
        "buffers": analysis.buffers,
        "macs": plain(analysis.macs),
        "depth": analysis.depth,
        "memory": analysis.peak,
        "inputs": {node.name: plain_shape(node.shape) for node in graph.inputs()},
        "outputs": {name: plain_shape(graph[node].shape) for name, node in graph.outputs.items()},
        "domain": graph.domain.lines() if graph.domain else [],
        "layers": [
            {
                "name": layer.node.name,
                "op": layer.node.op.name,
                "line": layer.node.span.line,
                "in": [plain_shape(shape) for shape in graph.input_shapes(layer.node)],
                "out": plain_shape(layer.node.shape),
                "params": layer.parameters,
                "macs": plain(layer.macs),
                "rf": plain_field(layer.field),
            }
            for layer in analysis.layers
            if not isinstance(layer.node.op, Input)
        ],
    }
