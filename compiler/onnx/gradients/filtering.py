"""Derivatives of fixed kernels in ONNX."""

from __future__ import annotations

from typing import Any

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.windows import bare, padded_sizes, spread, unpadded
from compiler.ops.arrays import nested_map, nested_shape, nested_sum
from compiler.ops.filtering import Filter, WeightedPool
from compiler.ops.shapes import known


def spread_on_each(
    emit: Emitter, op: Filter | WeightedPool, dy: str, kernel: Any, mode: str
) -> str:
    """dy spread by one kernel, channel by channel."""
    channels, *rest = known(emit.inputs[0], op.name)
    sizes = tuple(rest)
    axes = op.axes(sizes, emit.facts)
    weight = emit.floats(kernel, (channels, 1, *nested_shape(kernel)))
    if mode == "zero":
        return spread(emit, dy, weight, sizes, axes, channels)
    wide = spread(emit, dy, weight, padded_sizes(sizes, axes), bare(axes), channels)
    return unpadded(emit, wide, sizes, axes, mode)


@differentiates(Filter)
def filter_(op: Filter, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy spread by the kernel."""
    return by_inputs(spread_on_each(emit, op, dy, op.kernel_values, op.pad_mode))


@differentiates(WeightedPool)
def weightedpool(op: WeightedPool, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy spread by the normalised weights."""
    total = nested_sum(op.kernel_values)
    kernel = nested_map(lambda v: v / total, op.kernel_values)
    return by_inputs(spread_on_each(emit, op, dy, kernel, "zero"))
