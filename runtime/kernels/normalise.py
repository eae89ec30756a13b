"""Normalisation in NumPy."""

from __future__ import annotations

import numpy as np

from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from runtime.kernels import Array, Arrays, Inputs, in_place, kernel


def places(axis: int | tuple[int, ...] | None, x: Array) -> tuple[int, ...]:
    """The axes of an array with a batch, of those of a sample; None for all."""
    if axis is None:
        return tuple(range(1, x.ndim))
    given = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(place % (x.ndim - 1) + 1 for place in given))


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
@in_place
def bn(op: BatchNorm, inputs: Inputs, arrays: Arrays, out: Array | None = None) -> Array:
    """(x - running_mean)/sqrt(running_var + eps) * weight + bias, multiplied out."""
    x = inputs[0]
    weight, bias = (arrays["weight"], arrays["bias"]) if op.affine else (1, 0)
    factor = weight / np.sqrt(arrays["running_var"] + x.dtype.type(op.eps))
    y = np.multiply(x, channelwise(factor, x), out=out)
    y += channelwise(bias - arrays["running_mean"] * factor, x)
    return y


@kernel(LocalResponseNorm)
def lrn(op: LocalResponseNorm, inputs: Inputs, arrays: Arrays) -> Array:
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
def groupnorm(op: GroupNorm, inputs: Inputs, arrays: Arrays) -> Array:
    """Standardised over each group of channels and all pixels."""
    x = inputs[0]
    y = standardised(x.reshape(x.shape[0], op.groups, -1), (2,), op.eps).reshape(x.shape)
    if not op.affine:
        return y
    return affine(y, channelwise(arrays["weight"], x), channelwise(arrays["bias"], x))


@kernel(LayerNorm)
def layernorm(op: LayerNorm, inputs: Inputs, arrays: Arrays) -> Array:
    """Standardised over some axes of a sample, then a factor and offset for each value of them."""
    x = inputs[0]
    axes = places(op.axis, x)
    y = standardised(x, axes, op.eps)
    if not op.affine:
        return y
    sizes = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    return affine(y, arrays["weight"].reshape(sizes), arrays["bias"].reshape(sizes))


@kernel(InstanceNorm)
def instancenorm(op: InstanceNorm, inputs: Inputs, arrays: Arrays) -> Array:
    """Standardised over each map's pixels."""
    x = inputs[0]
    y = standardised(x, tuple(range(2, x.ndim)), op.eps)
    if not op.affine:
        return y
    return affine(y, channelwise(arrays["weight"], x), channelwise(arrays["bias"], x))
