"""Convolutions in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.windows import emit_border, onnx_pads, window_attributes
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.shapes import per_axis


@lowers(Conv)
def conv(op: Conv, emit: Emitter, x: str) -> str:
    """A Conv; what is padded with other than zeros is padded before it."""
    axes = op.axes(emit.inputs[0][1:], emit.facts)
    x, pads = emit_border(emit, x, axes, op.pad_mode)
    bias = [emit.weight("bias")] if op.bias else []
    return emit.node(
        "Conv",
        x,
        emit.weight("weight"),
        *bias,
        **window_attributes(axes),
        pads=pads,
        group=op.groups,
    )


@lowers(Deconv)
def deconv(op: Deconv, emit: Emitter, x: str) -> str:
    """A ConvTranspose."""
    spatial = emit.inputs[0][1:]
    axes = op.axes(spatial, emit.facts)
    bias = [emit.weight("bias")] if op.bias else []
    return emit.node(
        "ConvTranspose",
        x,
        emit.weight("weight"),
        *bias,
        **window_attributes(axes),
        pads=onnx_pads(axes),
        group=op.groups,
        output_padding=list(per_axis(op.output_pad, len(spatial), "output_pad")),
    )
