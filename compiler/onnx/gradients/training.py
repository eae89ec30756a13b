"""Derivatives of the layers in training mode in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import over_channels, per_channel
from compiler.ops.shapes import channels_of
from compiler.ops.training import BatchNormTraining


@differentiates(BatchNormTraining)
def bn(op: BatchNormTraining, emit: Emitter, dy: str, x: str) -> Gradients:
    """w/s (dy - mean(dy) - z mean(dy z)), as factor dy + offset - pull (x - mean).

    Every number of a channel is worked out first, so that few passes go over the maps: the first
    two terms are one BatchNormalization.
    """
    rank, channels = len(emit.output), (channels_of(emit.output, op.name),)
    centred, count = emit.kept["centred"], emit.kept["count"]
    variance = emit.node("Add", emit.kept["variance"], emit.floats(op.eps))
    deviation = emit.node("Sqrt", variance)
    bias = over_channels(emit, dy, rank)
    along = over_channels(emit, emit.node("Mul", dy, centred), rank)
    if op.affine:
        factor = emit.node("Div", emit.weight("weight"), deviation)
    else:
        factor = emit.node("Reciprocal", deviation)
    offset = emit.node("Neg", emit.node("Mul", factor, emit.node("Div", bias, count)))
    ratio = emit.node("Div", emit.node("Div", along, variance), count)
    pull = per_channel(emit, emit.node("Mul", factor, ratio), rank)
    zeros, ones = emit.floats(0.0, channels), emit.floats(1.0, channels)
    scaled = emit.node("BatchNormalization", dy, factor, offset, zeros, ones, epsilon=0.0)
    dx = emit.node("Sub", scaled, emit.node("Mul", centred, pull))
    if not op.affine:
        return by_inputs(dx)
    return Gradients((dx,), {"weight": emit.node("Div", along, deviation), "bias": bias})
