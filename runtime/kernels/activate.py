"""Activation functions in NumPy."""

from __future__ import annotations

import math

import numpy as np

from compiler.ops import activate as ops
from runtime.kernels import Array, Arrays, Inputs, in_place, kernel

# Klambauer et al. 2017, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

_erf = np.frompyfunc(math.erf, 1, 1)


def positive(x: Array, out: Array | None = None) -> Array:
    """max(x, 0); clipping is three times as fast as `np.maximum` with a number."""
    return np.clip(x, 0, np.inf, out=out)


def negative(x: Array) -> Array:
    """min(x, 0)."""
    return np.clip(x, -np.inf, 0)


@kernel(ops.Relu)
@in_place
def relu(op: ops.Relu, inputs: Inputs, arrays: Arrays, out: Array | None = None) -> Array:
    """max(x, 0)."""
    return positive(inputs[0], out)


@kernel(ops.Relu6)
@in_place
def relu6(op: ops.Relu6, inputs: Inputs, arrays: Arrays, out: Array | None = None) -> Array:
    """min(max(x, 0), 6)."""
    return np.clip(inputs[0], 0, 6, out=out)


@kernel(ops.Clip)
def clip(op: ops.Clip, inputs: Inputs, arrays: Arrays) -> Array:
    """min(max(x, lo), hi)."""
    return np.clip(inputs[0], op.lo, op.hi)


@kernel(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, inputs: Inputs, arrays: Arrays) -> Array:
    """max(x, 0) + slope * min(x, 0)."""
    return np.asarray(positive(inputs[0]) + negative(inputs[0]) * op.slope)


@kernel(ops.PRelu)
def prelu(op: ops.PRelu, inputs: Inputs, arrays: Arrays) -> Array:
    """max(x, 0) + slope * min(x, 0), the slope learned."""
    slope = arrays["weight"].reshape(-1, *([1] * (inputs[0].ndim - 2)))
    return np.asarray(positive(inputs[0]) + negative(inputs[0]) * slope)


@kernel(ops.Elu)
def elu(op: ops.Elu, inputs: Inputs, arrays: Arrays) -> Array:
    """max(x, 0) + alpha * (e^min(x, 0) - 1)."""
    return np.asarray(positive(inputs[0]) + op.alpha * np.expm1(negative(inputs[0])))


@kernel(ops.Celu)
def celu(op: ops.Celu, inputs: Inputs, arrays: Arrays) -> Array:
    """max(x, 0) + alpha * (e^(min(x, 0)/alpha) - 1)."""
    return np.asarray(
        positive(inputs[0])
        + op.alpha * np.expm1(negative(inputs[0]) / inputs[0].dtype.type(op.alpha))
    )


@kernel(ops.ThresholdedRelu)
def thresholded_relu(op: ops.ThresholdedRelu, inputs: Inputs, arrays: Arrays) -> Array:
    """x where x > threshold, else 0."""
    return np.where(inputs[0] > op.threshold, inputs[0], inputs[0].dtype.type(0))


@kernel(ops.Selu)
def selu(op: ops.Selu, inputs: Inputs, arrays: Arrays) -> Array:
    """scale * (max(x, 0) + alpha * (e^min(x, 0) - 1))."""
    elu = positive(inputs[0]) + SELU_ALPHA * np.expm1(negative(inputs[0]))
    return np.asarray(SELU_SCALE * elu)


@kernel(ops.Gelu)
def gelu(op: ops.Gelu, inputs: Inputs, arrays: Arrays) -> Array:
    """x/2 * (1 + erf(x/sqrt 2)), or its approximation by tanh."""
    x = inputs[0]
    if op.approximate:
        return np.asarray(x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))
    erf = _erf(x * math.sqrt(0.5)).astype(x.dtype)
    return np.asarray(x * (1 + erf) / 2)


def logistic(x: Array) -> Array:
    """1/(1 + e^-x); where e^-x is beyond all numbers the result is 0, as it should be."""
    return np.asarray(1 / (1 + np.exp(-x)))


@kernel(ops.Sigmoid)
def sigmoid(op: ops.Sigmoid, inputs: Inputs, arrays: Arrays) -> Array:
    """1/(1 + e^-x)."""
    return logistic(inputs[0])


@kernel(ops.LogSigmoid)
def log_sigmoid(op: ops.LogSigmoid, inputs: Inputs, arrays: Arrays) -> Array:
    """log(1/(1 + e^-x)) = min(x, 0) - log(1 + e^-|x|)."""
    return negative(inputs[0]) - np.log1p(np.exp(-np.abs(inputs[0])))


@kernel(ops.Silu)
def silu(op: ops.Silu, inputs: Inputs, arrays: Arrays) -> Array:
    """x * sigmoid(x)."""
    return np.asarray(inputs[0] * logistic(inputs[0]))


@kernel(ops.HardSigmoid)
def hardsigmoid(op: ops.HardSigmoid, inputs: Inputs, arrays: Arrays) -> Array:
    """min(max(x + 3, 0), 6)/6."""
    return np.clip(inputs[0] + 3, 0, 6) / 6


@kernel(ops.HardSwish)
def hardswish(op: ops.HardSwish, inputs: Inputs, arrays: Arrays) -> Array:
    """x times its hard sigmoid."""
    return inputs[0] * np.clip(inputs[0] + 3, 0, 6) / 6


@kernel(ops.Tanh)
def tanh(op: ops.Tanh, inputs: Inputs, arrays: Arrays) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(inputs[0])


@kernel(ops.Softplus)
def softplus(op: ops.Softplus, inputs: Inputs, arrays: Arrays) -> Array:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    return np.maximum(inputs[0], 0) + np.log1p(np.exp(-np.abs(inputs[0])))


@kernel(ops.Softsign)
def softsign(op: ops.Softsign, inputs: Inputs, arrays: Arrays) -> Array:
    """x/(1 + |x|)."""
    return np.asarray(inputs[0] / (1 + np.abs(inputs[0])))


@kernel(ops.Mish)
def mish(op: ops.Mish, inputs: Inputs, arrays: Arrays) -> Array:
    """x tanh(log(1 + e^x))."""
    x = inputs[0]
    return np.asarray(x * np.tanh(np.logaddexp(x, x.dtype.type(0))))


def log_probabilities(x: Array, axis: int) -> Array:
    """x - log(sum e^x) along a per-sample axis, the largest taken out first."""
    along = axis % (x.ndim - 1) + 1
    shifted = x - x.max(axis=along, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=along, keepdims=True)))


@kernel(ops.Softmax)
def softmax(op: ops.Softmax, inputs: Inputs, arrays: Arrays) -> Array:
    """e^x over the sum of e^x."""
    return np.exp(log_probabilities(inputs[0], op.axis))


@kernel(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, inputs: Inputs, arrays: Arrays) -> Array:
    """The logarithm of softmax."""
    return log_probabilities(inputs[0], op.axis)
