"""Derivatives of the normalisations in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import averaged, like, over_channels, per_channel, summed
from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from compiler.ops.shapes import channels_of, known


def standardised(emit: Emitter, x: str, axes: Sequence[int], eps: float) -> tuple[str, str]:
    """z = (x - mean)/s and s = sqrt(variance + eps), the statistics over some ONNX axes."""
    centred = emit.node("Sub", x, averaged(emit, x, axes))
    variance = averaged(emit, emit.node("Mul", centred, centred), axes)
    deviation = emit.node("Sqrt", emit.node("Add", variance, emit.floats(eps)))
    return emit.node("Div", centred, deviation), deviation


def standardised_gradient(
    emit: Emitter, z: str, deviation: str, axes: Sequence[int], dz: str
) -> str:
    """(dz - mean(dz) - z mean(dz z))/s (Ioffe and Szegedy 2015, section 3)."""
    pulled = averaged(emit, emit.node("Mul", dz, z), axes)
    centred = emit.node("Sub", dz, averaged(emit, dz, axes))
    rest = emit.node("Sub", centred, emit.node("Mul", z, pulled))
    return emit.node("Div", rest, deviation)


def affine_gradients(emit: Emitter, z: str, dy: str) -> dict[str, str]:
    """By the factor and the offset of each channel of z * weight + bias, where it has them."""
    if not emit.has_weight("weight"):
        return {}
    rank = len(emit.output)
    weight = over_channels(emit, emit.node("Mul", dy, z), rank)
    return {"weight": weight, "bias": over_channels(emit, dy, rank)}


def times_weight(emit: Emitter, dy: str) -> str:
    """The derivative before z * weight + bias from that behind it, a number for each channel."""
    if not emit.has_weight("weight"):
        return dy
    return emit.node("Mul", dy, per_channel(emit, emit.weight("weight"), len(emit.output)))


@differentiates(BatchNorm)
def bn(op: BatchNorm, emit: Emitter, dy: str, x: str) -> Gradients:
    """With running statistics: a factor and an offset."""
    rank = len(emit.output)
    variance = emit.node("Add", emit.weight("running_var"), emit.floats(op.eps))
    deviation = per_channel(emit, emit.node("Sqrt", variance), rank)
    centred = emit.node("Sub", x, per_channel(emit, emit.weight("running_mean"), rank))
    z = emit.node("Div", centred, deviation)
    dx = emit.node("Div", times_weight(emit, dy), deviation)
    return Gradients((dx,), affine_gradients(emit, z, dy))


@differentiates(LocalResponseNorm)
def lrn(op: LocalResponseNorm, emit: Emitter, dy: str, x: str) -> Gradients:
    """With y_i = x_i s_i^-beta: dy_i s_i^-beta - 2 alpha beta/n x_i sum_j dy_j y_j/s_j.

    The sum runs over the channels j whose neighbourhood holds i, which are the neighbours of i.
    """
    squares = neighbours(op, emit, emit.node("Mul", x, x))
    scaled = emit.node("Mul", squares, emit.floats(op.alpha / op.size))
    total = emit.node("Add", scaled, emit.floats(op.k))
    pulled = emit.node("Div", emit.node("Mul", dy, emit.result), total)
    rest = emit.node("Mul", x, neighbours(op, emit, pulled))
    rest = emit.node("Mul", rest, emit.floats(2 * op.alpha * op.beta / op.size))
    factor = emit.node("Pow", total, emit.floats(-op.beta))
    return by_inputs(emit.node("Sub", emit.node("Mul", dy, factor), rest))


def neighbours(op: LocalResponseNorm, emit: Emitter, x: str) -> str:
    """For each channel the sum over the `size` channels around it: a product with a band."""
    channels, reach = channels_of(emit.inputs[0], op.name), op.size // 2
    band = [[float(abs(i - j) <= reach) for j in range(channels)] for i in range(channels)]
    flat = emit.node("Reshape", x, emit.ints([0, channels, -1]))
    return like(emit, emit.node("MatMul", emit.floats(band), flat), x)


@differentiates(GroupNorm)
def groupnorm(op: GroupNorm, emit: Emitter, dy: str, x: str) -> Gradients:
    """Standardised over each group of channels and all pixels."""
    groups = emit.ints([0, op.groups, -1])
    z, deviation = standardised(emit, emit.node("Reshape", x, groups), [2], op.eps)
    dz = emit.node("Reshape", times_weight(emit, dy), groups)
    dx = standardised_gradient(emit, z, deviation, [2], dz)
    return Gradients((like(emit, dx, x),), affine_gradients(emit, like(emit, z, x), dy))


@differentiates(LayerNorm)
def layernorm(op: LayerNorm, emit: Emitter, dy: str, x: str) -> Gradients:
    """Standardised over some axes of a sample, then a factor and offset for each value of them."""
    normalised, rank = op.places(emit.output), len(emit.output)
    axes = [axis + 1 for axis in normalised]
    rest = [axis for axis in range(rank + 1) if axis not in axes]
    z, deviation = standardised(emit, x, axes, op.eps)
    if not op.affine:
        return by_inputs(standardised_gradient(emit, z, deviation, axes, dy))
    sizes = zip(range(rank), emit.output, strict=True)
    shape = known(tuple(size if axis in normalised else 1 for axis, size in sizes), op.name)
    weight = emit.node("Reshape", emit.weight("weight"), emit.ints(shape))
    dz = emit.node("Mul", dy, weight)
    dx = standardised_gradient(emit, z, deviation, axes, dz)
    weight = summed(emit, emit.node("Mul", dy, z), rest)
    return Gradients((dx,), {"weight": weight, "bias": summed(emit, dy, rest)})


@differentiates(InstanceNorm)
def instancenorm(op: InstanceNorm, emit: Emitter, dy: str, x: str) -> Gradients:
    """Standardised over each map's pixels."""
    axes = range(2, len(emit.output) + 1)
    z, deviation = standardised(emit, x, axes, op.eps)
    dx = standardised_gradient(emit, z, deviation, axes, times_weight(emit, dy))
    return Gradients((dx,), affine_gradients(emit, z, dy))
