"""Derivatives of the normalisations."""

from __future__ import annotations

import numpy as np

from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.normalise import channelwise, places, standardised


def standardised_gradient(x: Array, axes: tuple[int, ...], eps: float, dz: Array) -> Array:
    """By x of z = (x - mean)/s with s = sqrt(variance + eps), from the derivative by z.

    (dz - mean(dz) - z mean(dz z))/s, the means over the same axes (Ioffe and Szegedy 2015, 3).
    """
    z = standardised(x, axes, eps)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + x.dtype.type(eps))
    centred = dz - dz.mean(axis=axes, keepdims=True)
    return np.asarray((centred - z * (dz * z).mean(axis=axes, keepdims=True)) / deviation)


def over_channels(dy: Array) -> Array:
    """The sum over the batch and all pixels, one number for each channel."""
    return np.asarray(dy.sum(axis=(0, *range(2, dy.ndim))))


def affine_gradients(affine: bool, z: Array, dy: Array) -> dict[str, Array]:
    """By the factor and the offset of each channel of z * weight + bias, where it has them."""
    return {"weight": over_channels(dy * z), "bias": over_channels(dy)} if affine else {}


def times_weight(affine: bool, arrays: Arrays, dy: Array) -> Array:
    """The derivative before z * weight + bias from that behind it, a number for each channel."""
    return np.asarray(dy * channelwise(arrays["weight"], dy)) if affine else dy


@gradient(BatchNorm)
def bn(op: BatchNorm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """With running statistics: a factor and an offset."""
    x = inputs[0]
    deviation = channelwise(np.sqrt(arrays["running_var"] + x.dtype.type(op.eps)), x)
    z = (x - channelwise(arrays["running_mean"], x)) / deviation
    dx = times_weight(op.affine, arrays, dy) / deviation
    return Gradients((dx,), affine_gradients(op.affine, z, dy))


@gradient(LocalResponseNorm)
def lrn(
    op: LocalResponseNorm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """With y_i = x_i s_i^-beta: dy_i s_i^-beta - 2 alpha beta/n x_i sum_j dy_j x_j s_j^(-beta - 1).

    The sum runs over the channels j whose neighbourhood holds i, which are the neighbours of i.
    """
    x = inputs[0]
    total = neighbours(np.square(x), op.size) * (op.alpha / op.size) + op.k
    pulled = neighbours(dy * x * total ** (-op.beta - 1), op.size)
    dx = dy * total**-op.beta - 2 * op.alpha * op.beta / op.size * x * pulled
    return by_inputs(dx)


def neighbours(values: Array, size: int) -> Array:
    """For each channel the sum over the `size` channels around it."""
    total = values.copy()
    for distance in range(1, size // 2 + 1):
        total[:, distance:] += values[:, :-distance]
        total[:, :-distance] += values[:, distance:]
    return total


@gradient(GroupNorm)
def groupnorm(op: GroupNorm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Standardised over each group of channels and all pixels."""
    x = inputs[0]
    grouped = x.reshape(len(x), op.groups, -1)
    z = standardised(grouped, (2,), op.eps).reshape(x.shape)
    dz = times_weight(op.affine, arrays, dy).reshape(grouped.shape)
    dx = standardised_gradient(grouped, (2,), op.eps, dz).reshape(x.shape)
    return Gradients((dx,), affine_gradients(op.affine, z, dy))


@gradient(LayerNorm)
def layernorm(op: LayerNorm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Standardised over some axes of a sample, then a factor and offset for each value of them."""
    x = inputs[0]
    axes = places(op.axis, x)
    rest = tuple(axis for axis in range(x.ndim) if axis not in axes)
    if not op.affine:
        return by_inputs(standardised_gradient(x, axes, op.eps, dy))
    z = standardised(x, axes, op.eps)
    weight = np.expand_dims(arrays["weight"], rest)
    dx = standardised_gradient(x, axes, op.eps, dy * weight)
    return Gradients((dx,), {"weight": (dy * z).sum(axis=rest), "bias": dy.sum(axis=rest)})


@gradient(InstanceNorm)
def instancenorm(
    op: InstanceNorm, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """Standardised over each map's pixels."""
    x = inputs[0]
    axes = tuple(range(2, x.ndim))
    z = standardised(x, axes, op.eps)
    dx = standardised_gradient(x, axes, op.eps, times_weight(op.affine, arrays, dy))
    return Gradients((dx,), affine_gradients(op.affine, z, dy))
