"""Fixed kernels in ONNX."""

from __future__ import annotations

from typing import Any

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.windows import emit_border, onnx_pads, window_attributes
from compiler.ops.arrays import nested_map, nested_shape, nested_sum
from compiler.ops.base import Axis
from compiler.ops.filtering import Filter, WeightedPool
from compiler.ops.shapes import channels_of


@lowers(Filter)
def filter_(op: Filter, emit: Emitter, x: str) -> str:
    """A depthwise Conv; what is padded with other than zeros is padded before it."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    x, pads = emit_border(emit, x, axes, op.pad_mode)
    return emit_depthwise(emit, x, op.kernel_values, axes, pads)


@lowers(WeightedPool)
def weightedpool(op: WeightedPool, emit: Emitter, x: str) -> str:
    """A depthwise Conv with the normalised weights."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    total = nested_sum(op.kernel_values)
    kernel = nested_map(lambda v: v / total, op.kernel_values)
    return emit_depthwise(emit, x, kernel, axes, onnx_pads(axes))


def emit_depthwise(
    emit: Emitter, x: str, kernel: Any, axes: tuple[Axis, ...], pads: list[int]
) -> str:
    """One constant kernel on each channel: a Conv with as many groups as channels."""
    channels = channels_of(emit.inputs[0], "filter")
    return emit.node(
        "Conv",
        x,
        emit.floats(kernel, (channels, 1, *nested_shape(kernel))),
        group=channels,
        **window_attributes(axes),
        pads=pads,
    )
