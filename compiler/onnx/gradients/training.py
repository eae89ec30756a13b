"""Derivatives of the layers in training mode in ONNX."""

from __future__ import annotations

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import over_channels, per_channel
from compiler.onnx.training import samples_of
from compiler.ops.training import BatchNormTraining


@differentiates(BatchNormTraining)
def bn(op: BatchNormTraining, emit: Emitter, dy: str, x: str) -> Gradients:
    """w/s (dy - mean(dy) - z mean(dy z)), with one factor a channel for dy, for x - mean and alone.

    Every number of a channel is worked out first, so that few passes go over the maps.
    """
    rank = len(emit.output)
    centred, count = emit.kept["centred"], samples_of(emit, x)
    variance = emit.node("Add", emit.kept["variance"], emit.floats(op.eps))
    deviation = emit.node("Sqrt", variance)
    bias = over_channels(emit, dy, rank)
    along = over_channels(emit, emit.node("Mul", dy, centred), rank)
    if op.affine:
        factor = emit.node("Div", emit.weight("weight"), deviation)
    else:
        factor = emit.node("Reciprocal", deviation)
    pull = emit.node("Div", emit.node("Div", along, variance), count)
    moved = emit.node("Sub", dy, per_channel(emit, emit.node("Div", bias, count), rank))
    pulled = emit.node("Mul", centred, per_channel(emit, pull, rank))
    rest = emit.node("Sub", moved, pulled)
    dx = emit.node("Mul", rest, per_channel(emit, factor, rank))
    if not op.affine:
        return by_inputs(dx)
    return Gradients((dx,), {"weight": emit.node("Div", along, deviation), "bias": bias})
