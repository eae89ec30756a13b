"""Normalisation in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.normalise import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
)
from runtime.kernels import Array, Arrays, kernel


def channelwise(values: Array, x: Array) -> Array:
    """One number for each channel, shaped to broadcast over `x`."""
    return values.reshape(1, -1, *([1] * (x.ndim - 2)))


def standardised(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    """(x - mean)/sqrt(variance + eps) with the statistics over `axes`, a new array."""
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = np.square(centred).mean(axis=axes, keepdims=True)
    centred /= np.sqrt(variance + x.dtype.type(eps))
    return np.asarray(centred)


def affine(y: Array, weight: Array, bias: Array) -> Array:
    """y * weight + bias, written into `y`."""
    y *= weight
    y += bias
    return y


@kernel(BatchNorm)
def bn(op: BatchNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """(x - running_mean)/sqrt(running_var + eps) * weight + bias, multiplied out."""
    x = inputs[0]
    weight, bias = (arrays["weight"], arrays["bias"]) if op.affine else (1, 0)
    factor = weight / np.sqrt(arrays["running_var"] + x.dtype.type(op.eps))
    y = np.asarray(x * channelwise(factor, x))
    y += channelwise(bias - arrays["running_mean"] * factor, x)
    return y


@kernel(LocalResponseNorm)
def lrn(op: LocalResponseNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x/(k + alpha/size * sum of the squares of neighbouring channels)^beta."""
    squares = np.square(inputs[0])
    total = squares.copy()
    for distance in range(1, op.size // 2 + 1):
        total[:, distance:] += squares[:, :-distance]
        total[:, :-distance] += squares[:, distance:]
    total *= op.alpha / op.size
    total += op.k
    np.power(total, op.beta, out=total)
    return np.divide(inputs[0], total, out=total)


@kernel(GroupNorm)
def groupnorm(op: GroupNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over each group of channels and all pixels."""
    x = inputs[0]
    y = standardised(x.reshape(x.shape[0], op.groups, -1), (2,), op.eps).reshape(x.shape)
    if not op.affine:
        return y
    return affine(y, channelwise(arrays["weight"], x), channelwise(arrays["bias"], x))


@kernel(LayerNorm)
def layernorm(op: LayerNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over the axes of a sample from `axis` on, then a factor and offset each."""
    rank = inputs[0].ndim
    y = standardised(inputs[0], tuple(range(op.axis % (rank - 1) + 1, rank)), op.eps)
    return affine(y, arrays["weight"], arrays["bias"]) if op.affine else y


@kernel(InstanceNorm)
def instancenorm(op: InstanceNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over each map's pixels."""
    x = inputs[0]
    y = standardised(x, tuple(range(2, x.ndim)), op.eps)
    if not op.affine:
        return y
    return affine(y, channelwise(arrays["weight"], x), channelwise(arrays["bias"], x))
