"""Fixed kernels in PyTorch."""

from __future__ import annotations

from typing import Any

from compiler.ops.arrays import nested_map, nested_sum
from compiler.ops.base import Axis
from compiler.ops.filtering import Filter, WeightedPool
from compiler.torch import writes
from compiler.torch.layer import Layer, one_or_all, padded, pads_of, text_of


@writes(Filter)
def filter_(op: Filter, layer: Layer, x: str) -> str:
    """One kernel on every channel."""
    axes = op.axes(layer.shape[1:], layer.graph.facts)
    return on_each(layer, padded(x, pads_of(axes), op.pad_mode), op.kernel_values, axes)


@writes(WeightedPool)
def weightedpool(op: WeightedPool, layer: Layer, x: str) -> str:
    """The same with weights that sum to 1."""
    total = nested_sum(op.kernel_values)
    values = nested_map(lambda value: value / total, op.kernel_values)
    return on_each(layer, x, values, op.axes(layer.shape[1:], layer.graph.facts))


def on_each(layer: Layer, x: str, values: Any, axes: tuple[Axis, ...]) -> str:
    """A convolution of a group a channel, or a call of the helper where their number is open."""
    stride = one_or_all([axis.stride for axis in axes])
    channels, rank = layer.shape[0], layer.rank
    kernel = f"{layer.batch}.new_tensor({text_of(values)})"
    more = f", stride={text_of(stride)}" if stride != 1 else ""
    if not isinstance(channels, int) or rank > 3:
        return f"{layer.helper('depthwise')}({x}, {kernel}{more})"
    sizes = ", ".join(str(axis.kernel) for axis in axes)
    expanded = f"{kernel}.expand({channels}, 1, {sizes})"
    return f"F.conv{rank}d({x}, {expanded}{more}, groups={channels})"
