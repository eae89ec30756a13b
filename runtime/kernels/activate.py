"""Activation functions in NumPy."""

from __future__ import annotations

import math

import numpy as np

from compiler.ops import activate as ops
from runtime.kernels import Array, Arrays, kernel

# Klambauer et al. 2017, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

_erf = np.frompyfunc(math.erf, 1, 1)


@kernel(ops.Relu)
def relu(op: ops.Relu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """max(x, 0); clipping is three times as fast as `np.maximum` with a number."""
    return np.clip(inputs[0], 0, np.inf)


@kernel(ops.Relu6)
def relu6(op: ops.Relu6, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """min(max(x, 0), 6)."""
    return np.clip(inputs[0], 0, 6)


@kernel(ops.Clip)
def clip(op: ops.Clip, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """min(max(x, lo), hi)."""
    return np.clip(inputs[0], op.lo, op.hi)


def sloped(x: Array, negative: Array) -> Array:
    """x where positive, else `negative`, a new array that becomes the result."""
    np.copyto(negative, x, where=x > 0)
    return negative


@kernel(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """slope * x where negative."""
    return sloped(inputs[0], inputs[0] * op.slope)


@kernel(ops.PRelu)
def prelu(op: ops.PRelu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """A learned slope where negative."""
    slope = arrays["weight"].reshape(-1, *([1] * (inputs[0].ndim - 2)))
    return sloped(inputs[0], inputs[0] * slope)


@kernel(ops.Elu)
def elu(op: ops.Elu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """alpha * (e^x - 1) where negative."""
    return sloped(inputs[0], op.alpha * np.expm1(np.minimum(inputs[0], 0)))


@kernel(ops.Selu)
def selu(op: ops.Selu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The scaled ELU."""
    x = inputs[0]
    return SELU_SCALE * sloped(x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))


@kernel(ops.Gelu)
def gelu(op: ops.Gelu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x/2 * (1 + erf(x/sqrt 2))."""
    x = inputs[0]
    erf = _erf(x * math.sqrt(0.5)).astype(x.dtype)
    return np.asarray(x * (1 + erf) / 2)


def logistic(x: Array) -> Array:
    """1/(1 + e^-x) without overflow: e^x/(1 + e^x) where x is negative."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


@kernel(ops.Sigmoid)
def sigmoid(op: ops.Sigmoid, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """1/(1 + e^-x)."""
    return logistic(inputs[0]).astype(inputs[0].dtype)


@kernel(ops.Silu)
def silu(op: ops.Silu, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x * sigmoid(x)."""
    return (inputs[0] * logistic(inputs[0])).astype(inputs[0].dtype)


@kernel(ops.HardSigmoid)
def hardsigmoid(op: ops.HardSigmoid, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """min(max(x + 3, 0), 6)/6."""
    return np.clip(inputs[0] + 3, 0, 6) / 6


@kernel(ops.HardSwish)
def hardswish(op: ops.HardSwish, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """x times its hard sigmoid."""
    return inputs[0] * np.clip(inputs[0] + 3, 0, 6) / 6


@kernel(ops.Tanh)
def tanh(op: ops.Tanh, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(inputs[0])


@kernel(ops.Softplus)
def softplus(op: ops.Softplus, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    return np.maximum(inputs[0], 0) + np.log1p(np.exp(-np.abs(inputs[0])))


def log_probabilities(x: Array, axis: int) -> Array:
    """x - log(sum e^x) along a per-sample axis, the largest taken out first."""
    along = axis % (x.ndim - 1) + 1
    shifted = x - x.max(axis=along, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=along, keepdims=True)))


@kernel(ops.Softmax)
def softmax(op: ops.Softmax, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """e^x over the sum of e^x."""
    return np.exp(log_probabilities(inputs[0], op.axis))


@kernel(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The logarithm of softmax."""
    return log_probabilities(inputs[0], op.axis)
