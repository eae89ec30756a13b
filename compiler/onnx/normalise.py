"""Normalisation in ONNX."""

from __future__ import annotations

from typing import Any

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from compiler.ops.shapes import channels_of, known

WIDEST_BAND = 256  # channels; beyond, a band of weights is more work than the operator itself


def emit_affine(emit: Emitter, x: str, rank: int) -> str:
    """x * weight + bias with one number for each channel."""
    shape = emit.ints([-1, *([1] * rank)])
    scaled = emit.node("Mul", x, emit.node("Reshape", emit.weight("weight"), shape))
    return emit.node("Add", scaled, emit.node("Reshape", emit.weight("bias"), shape))


USUAL_MOMENTUM = BatchNorm().momentum  # which ONNX has too, as the share of what was before


@lowers(BatchNorm)
def bn(op: BatchNorm, emit: Emitter, x: str) -> str:
    """A BatchNormalization."""
    factor, offset = factor_and_offset(op, emit)
    held = [factor, offset, *(emit.weight(name) for name in ("running_mean", "running_var"))]
    more = {"momentum": 1 - op.momentum} if op.momentum != USUAL_MOMENTUM else {}
    return emit.node("BatchNormalization", x, *held, epsilon=op.eps, **more)


def factor_and_offset(op: BatchNorm | InstanceNorm, emit: Emitter) -> tuple[str, str]:
    """The learned numbers of each channel, or ones and zeros."""
    if op.affine:
        return emit.weight("weight"), emit.weight("bias")
    channels = (channels_of(emit.inputs[0], op.name),)
    return emit.floats(1.0, channels), emit.floats(0.0, channels)


@lowers(LocalResponseNorm)
def lrn(op: LocalResponseNorm, emit: Emitter, x: str) -> str:
    """An LRN, or a convolution where that is faster."""
    channels = emit.inputs[0][0]
    if isinstance(channels, int) and channels <= WIDEST_BAND:
        return lrn_as_convolution(op, emit, x, channels)
    if len(emit.inputs[0]) == 3:
        return emit.node("LRN", x, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    planar = emit.node("Reshape", x, emit.ints([0, 0, 1, -1]))  # ONNX Runtime takes [N, C, H, W]
    y = emit.node("LRN", planar, size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    return emit.node("Reshape", y, emit.node("Shape", x))


def lrn_as_convolution(op: LocalResponseNorm, emit: Emitter, x: str, channels: int) -> str:
    """The sum over neighbours as a 1x1 convolution of the squares with a band of weights.

    ONNX Runtime's own LRN takes 4 to 8 times as long on a CPU, most of it for the power:
    beta = 0.75 is sqrt(s) * sqrt(sqrt(s)).
    """
    ones = (1,) * (len(emit.inputs[0]) - 1)
    share, reach = op.alpha / op.size, op.size // 2
    # [channels, channels, 1, …]: brackets around each weight, one pair an axis.
    weight: Any = share
    zero: Any = 0.0
    for _ in ones:
        weight, zero = (weight,), (zero,)
    band = tuple(
        tuple(weight if abs(i - j) <= reach else zero for j in range(channels))
        for i in range(channels)
    )
    sums = emit.node(
        "Conv",
        emit.node("Mul", x, x),
        emit.floats(band),
        emit.floats(op.k, (channels,)),
        kernel_shape=ones,
    )
    if op.beta == 0.75:
        root = emit.node("Sqrt", sums)
        return emit.node("Div", x, emit.node("Mul", root, emit.node("Sqrt", root)))
    return emit.node("Div", x, emit.node("Pow", sums, emit.floats(op.beta)))


def emit_standardised(emit: Emitter, x: str, groups: int, eps: float) -> str:
    """Each of `groups` parts of a sample less its mean and divided by its deviation."""
    parts = emit.node("Reshape", x, emit.ints([0, groups, -1]))
    normal = emit.node(
        "InstanceNormalization",
        parts,
        emit.floats(1.0, (groups,)),
        emit.floats(0.0, (groups,)),
        epsilon=eps,
    )
    return emit.node("Reshape", normal, emit.node("Shape", x))


@lowers(GroupNorm)
def groupnorm(op: GroupNorm, emit: Emitter, x: str) -> str:
    """An InstanceNormalization of the groups, then factor and offset of the channels."""
    normal = emit_standardised(emit, x, op.groups, op.eps)
    return emit_affine(emit, normal, len(emit.inputs[0]) - 1) if op.affine else normal


@lowers(LayerNorm)
def layernorm(op: LayerNorm, emit: Emitter, x: str) -> str:
    """An InstanceNormalization of the whole sample, or of its last axes, where others are moved."""
    axes, rank = op.places(emit.output), len(emit.output)
    if len(axes) == rank:
        return emit_valuewise(op, emit, emit_standardised(emit, x, 1, op.eps))
    rest = [axis for axis in range(rank) if axis not in axes]
    order = [0, *(axis + 1 for axis in (*rest, *axes))]
    last = [*range(len(rest) + 1, rank + 1)]
    if order == sorted(order):
        return layernorm_partly(op, emit, x, last)
    y = layernorm_partly(op, emit, emit.node("Transpose", x, perm=order), last)
    return emit.node("Transpose", y, perm=sorted(range(rank + 1), key=lambda at: order[at]))


def emit_valuewise(op: LayerNorm, emit: Emitter, x: str) -> str:
    """x * weight + bias with one number for each value, where the layer has them."""
    if not op.affine:
        return x
    return emit.node("Add", emit.node("Mul", x, emit.weight("weight")), emit.weight("bias"))


def layernorm_partly(op: LayerNorm, emit: Emitter, x: str, axes: list[int]) -> str:
    """Over some of the axes; written out before opset 17, which brought the operator."""
    if emit.opset >= 17:
        held = [emit.weight("weight"), emit.weight("bias")] if op.affine else [ones(op, emit)]
        return emit.node("LayerNormalization", x, *held, axis=axes[0], epsilon=op.eps)
    centred = emit.node("Sub", x, emit.node("ReduceMean", x, axes=axes))
    variance = emit.node("ReduceMean", emit.node("Mul", centred, centred), axes=axes)
    deviation = emit.node("Sqrt", emit.node("Add", variance, emit.floats(op.eps)))
    return emit_valuewise(op, emit, emit.node("Div", centred, deviation))


def ones(op: LayerNorm, emit: Emitter) -> str:
    """Factors of one, which the operator cannot do without."""
    return emit.floats(1.0, known(op.normalised(emit.inputs[0]), op.name))


@lowers(InstanceNorm)
def instancenorm(op: InstanceNorm, emit: Emitter, x: str) -> str:
    """An InstanceNormalization."""
    return emit.node("InstanceNormalization", x, *factor_and_offset(op, emit), epsilon=op.eps)
