"""Layers in training mode in ONNX."""

from __future__ import annotations

from onnx import TensorProto

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.onnx.normalise import factor_and_offset
from compiler.ops.shapes import channels_of
from compiler.ops.training import BatchNormTraining


def samples_of(emit: Emitter, x: str) -> str:
    """How many numbers each channel of a batch holds, as a float [1]."""
    total = emit.node("Size", x)
    each = emit.node("Div", total, emit.ints(channels_of(emit.output, emit.layer.op.name)))
    return emit.node("Cast", emit.node("Reshape", each, emit.ints([1])), to=TensorProto.FLOAT)


@lowers(BatchNormTraining)
def bn(op: BatchNormTraining, emit: Emitter, x: str) -> str:
    """The statistics in elementary nodes, then a BatchNormalization that takes them as its own.

    ONNX's own training mode keeps a biased variance and does not run on CUDA.
    """
    axes = emit.ints([0, *range(2, len(emit.output) + 1)])
    mean = emit.node("ReduceMean", x, axes, keepdims=1)
    centred = emit.node("Sub", x, mean)
    variance = emit.node("ReduceMean", emit.node("Mul", centred, centred), axes, keepdims=0)
    flat = emit.node("Reshape", mean, emit.ints([-1]))
    # The count is worked out here, so that no later node needs a whole map for its size.
    emit.keep(mean=flat, centred=centred, variance=variance, count=samples_of(emit, x))
    held = factor_and_offset(op, emit)
    return emit.node("BatchNormalization", x, *held, flat, variance, epsilon=op.eps)


def running_statistics(
    op: BatchNormTraining, emit: Emitter, buffers: dict[str, str]
) -> dict[str, str]:
    """The running mean and variance after a batch; the variance without bias, as in PyTorch."""
    count, one = emit.kept["count"], emit.floats(1.0)
    fewer = emit.node("Max", emit.node("Sub", count, one), one)
    unbiased = emit.node("Mul", emit.kept["variance"], emit.node("Div", count, fewer))
    found = {"running_mean": emit.kept["mean"], "running_var": unbiased}
    share = emit.floats(op.momentum)
    return {
        name: emit.node(
            "Add",
            buffers[name],
            emit.node("Mul", emit.node("Sub", value, buffers[name]), share),
        )
        for name, value in found.items()
    }
