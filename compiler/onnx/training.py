"""Layers in training mode in ONNX."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.normalise import factor_and_offset
from compiler.ops.training import BatchNormTraining


def batch_axes(emit: Emitter) -> str:
    """The axes of the batch and of all pixels."""
    return emit.ints([0, *range(2, len(emit.output) + 1)])


@lowers(BatchNormTraining)
def bn(op: BatchNormTraining, emit: Emitter, x: str) -> str:
    """The statistics in elementary nodes, then a BatchNormalization that takes them as its own.

    ONNX's own training mode keeps a biased variance and does not run on CUDA.
    """
    axes = batch_axes(emit)
    mean = emit.node("ReduceMean", x, axes, keepdims=1)
    centred = emit.node("Sub", x, mean)
    variance = emit.node("ReduceMean", emit.node("Mul", centred, centred), axes, keepdims=0)
    flat = emit.node("Reshape", mean, emit.ints([-1]))
    emit.keep(mean=flat, centred=centred, variance=variance)
    held = factor_and_offset(op, emit)
    return emit.node("BatchNormalization", x, *held, flat, variance, epsilon=op.eps)
