"""Convolutions with learned kernels in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.ops.base import Axis
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.shapes import channels_of, per_axis
from compiler.torch import writes
from compiler.torch.layer import Layer, one_or_all, padded, pads_of, text_of

CONV_DEFAULTS = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "padding_mode": "zeros",
}
KINDS = ("in_channels", "out_channels", "kernel_size")


@writes(Conv)
def conv(op: Conv, layer: Layer, x: str) -> str:
    """nn.Conv; other padding on one side than on the other by F.pad."""
    axes = op.axes(layer.shape[1:], layer.graph.facts)
    if any(axis.before != axis.after for axis in axes):
        made = module(op, layer, "nn.Conv", axes, [0 for _ in axes])
        return f"{made}({padded(x, pads_of(axes), op.pad_mode)})"
    amounts = [axis.before for axis in axes]
    mode = op.pad_mode if any(amounts) and op.pad_mode != "zero" else "zeros"
    return f"{module(op, layer, 'nn.Conv', axes, amounts, padding_mode=mode)}({x})"


@writes(Deconv)
def deconv(op: Deconv, layer: Layer, x: str) -> str:
    """nn.ConvTranspose; what is cut off on one side only, by a negative F.pad."""
    axes = op.axes(layer.shape[1:], layer.graph.facts)
    both = [min(axis.before, axis.after) for axis in axes]
    extra = one_or_all(per_axis(op.output_pad, layer.rank, "output_pad"))
    made = module(op, layer, "nn.ConvTranspose", axes, both, output_padding=extra)
    pairs = [
        (least - axis.before, least - axis.after) for axis, least in zip(axes, both, strict=True)
    ]
    cut = tuple(width for pair in reversed(pairs) for width in pair)
    return f"F.pad({made}({x}), {text_of(cut)})" if any(cut) else f"{made}({x})"


def module(
    op: Conv | Deconv,
    layer: Layer,
    name: str,
    axes: Sequence[Axis],
    padding: Sequence[int],
    *,
    output_padding: Any = 0,
    padding_mode: str = "zeros",
) -> str:
    """The module that holds the kernel of a convolution."""
    return layer.module(
        f"{name}{layer.rank}d",
        channels_of(layer.shape, op.name),
        op.channels,
        one_or_all([axis.kernel for axis in axes]),
        kinds=KINDS,
        defaults=CONV_DEFAULTS,
        stride=one_or_all([axis.stride for axis in axes]),
        padding=one_or_all(padding),
        output_padding=output_padding,
        dilation=one_or_all([axis.dilation for axis in axes]),
        groups=op.groups,
        bias=op.bias,
        padding_mode=padding_mode,
    )
