"""Convolutions with learned kernels in PyTorch."""

from __future__ import annotations

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
    alike = all(axis.before == axis.after for axis in axes)
    made = layer.module(
        f"nn.Conv{layer.rank}d",
        channels_of(layer.shape, op.name),
        op.channels,
        one_or_all([axis.kernel for axis in axes]),
        kinds=KINDS,
        defaults=CONV_DEFAULTS,
        stride=one_or_all([axis.stride for axis in axes]),
        padding=one_or_all([axis.before for axis in axes]) if alike else 0,
        dilation=one_or_all([axis.dilation for axis in axes]),
        groups=op.groups,
        bias=op.bias,
        padding_mode={"zero": "zeros"}.get(op.pad_mode, op.pad_mode)
        if alike and any(axis.before for axis in axes)
        else "zeros",
    )
    return f"{made}({x if alike else padded(x, pads_of(axes), op.pad_mode)})"


@writes(Deconv)
def deconv(op: Deconv, layer: Layer, x: str) -> str:
    """nn.ConvTranspose; what is cut off on one side only, by a negative F.pad."""
    axes = op.axes(layer.shape[1:], layer.graph.facts)
    both = [min(axis.before, axis.after) for axis in axes]
    made = layer.module(
        f"nn.ConvTranspose{layer.rank}d",
        channels_of(layer.shape, op.name),
        op.channels,
        one_or_all([axis.kernel for axis in axes]),
        kinds=KINDS,
        defaults=CONV_DEFAULTS,
        stride=one_or_all([axis.stride for axis in axes]),
        padding=one_or_all(both),
        output_padding=one_or_all(per_axis(op.output_pad, layer.rank, "output_pad")),
        dilation=one_or_all([axis.dilation for axis in axes]),
        groups=op.groups,
        bias=op.bias,
    )
    pairs = [
        (least - axis.before, least - axis.after) for axis, least in zip(axes, both, strict=True)
    ]
    cut = tuple(width for pair in reversed(pairs) for width in pair)
    return f"F.pad({made}({x}), {text_of(cut)})" if any(cut) else f"{made}({x})"
