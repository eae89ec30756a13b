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
    """(x - mean)/sqrt(variance + eps) with the statistics over `axes`."""
    mean = x.mean(axis=axes, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + x.dtype.type(eps)))


@kernel(BatchNorm)
def bn(op: BatchNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """(x - running_mean)/sqrt(running_var + eps) * weight + bias, multiplied out."""
    x = inputs[0]
    scale = arrays["weight"] / np.sqrt(arrays["running_var"] + x.dtype.type(op.eps))
    y = x * channelwise(scale, x)
    y += channelwise(arrays["bias"] - arrays["running_mean"] * scale, x)
    return y


@kernel(LocalResponseNorm)
def lrn(op: LocalResponseNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x/(k + alpha/size * sum of the squares of neighbouring channels)^beta."""
    x = inputs[0]
    half = op.size // 2
    squares = np.pad(x**2, [(0, 0), (half, half), *([(0, 0)] * (x.ndim - 2))])
    total = sum(squares[:, i : i + x.shape[1]] for i in range(op.size))
    one = x.dtype.type
    return np.asarray(x / (one(op.k) + one(op.alpha / op.size) * total) ** one(op.beta))


@kernel(GroupNorm)
def groupnorm(op: GroupNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over each group of channels and all pixels."""
    x = inputs[0]
    grouped = x.reshape(x.shape[0], op.groups, -1)
    y = standardised(grouped, (2,), op.eps).reshape(x.shape)
    return np.asarray(y * channelwise(arrays["weight"], x) + channelwise(arrays["bias"], x))


@kernel(LayerNorm)
def layernorm(op: LayerNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over the whole sample, then a factor and offset an element."""
    x = inputs[0]
    y = standardised(x, tuple(range(1, x.ndim)), op.eps)
    return np.asarray(y * arrays["weight"] + arrays["bias"])


@kernel(InstanceNorm)
def instancenorm(op: InstanceNorm, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """Standardised over each map's pixels."""
    x = inputs[0]
    y = standardised(x, tuple(range(2, x.ndim)), op.eps)
    if op.affine:
        y = y * channelwise(arrays["weight"], x) + channelwise(arrays["bias"], x)
    return np.asarray(y)
