"""Derivatives of the activation functions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from compiler.ops import activate as ops
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.activate import SELU_ALPHA, SELU_SCALE, logistic, negative

_erf = np.frompyfunc(math.erf, 1, 1)


def where(condition: NDArray[np.bool_], dy: Array) -> Gradients:
    """`dy` where a condition holds, else 0."""
    return by_inputs(np.where(condition, dy, dy.dtype.type(0)))


@gradient(ops.Relu)
def relu(op: ops.Relu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 above 0."""
    return where(inputs[0] > 0, dy)


@gradient(ops.Relu6)
def relu6(op: ops.Relu6, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 between 0 and 6."""
    return where((inputs[0] > 0) & (inputs[0] < 6), dy)


@gradient(ops.Clip)
def clip(op: ops.Clip, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 from lo to hi, both included, as PyTorch's clamp."""
    return where((inputs[0] >= op.lo) & (inputs[0] <= op.hi), dy)


@gradient(ops.LeakyRelu)
def leaky_relu(
    op: ops.LeakyRelu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1 above 0, else the slope."""
    return by_inputs(np.where(inputs[0] > 0, dy, dy * op.slope))


@gradient(ops.PRelu)
def prelu(op: ops.PRelu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """As leaky_relu; by the slope min(x, 0)."""
    x = inputs[0]
    slope = arrays["weight"].reshape(-1, *([1] * (x.ndim - 2)))
    by_slope = dy * negative(x)
    kept = (0, *range(2, x.ndim)) if op.channelwise else tuple(range(x.ndim))
    weight = np.asarray(by_slope.sum(axis=kept)).reshape(arrays["weight"].shape)
    return Gradients((np.where(x > 0, dy, dy * slope),), {"weight": weight})


@gradient(ops.Elu)
def elu(op: ops.Elu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 above 0, else alpha e^x."""
    return by_inputs(np.where(inputs[0] > 0, dy, dy * op.alpha * np.exp(negative(inputs[0]))))


@gradient(ops.Celu)
def celu(op: ops.Celu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 above 0, else e^(x/alpha)."""
    return by_inputs(np.where(inputs[0] > 0, dy, dy * np.exp(negative(inputs[0]) / op.alpha)))


@gradient(ops.ThresholdedRelu)
def thresholded_relu(
    op: ops.ThresholdedRelu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1 above the threshold."""
    return where(inputs[0] > op.threshold, dy)


@gradient(ops.Selu)
def selu(op: ops.Selu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The scale above 0, else scale * alpha * e^x."""
    below = SELU_ALPHA * np.exp(negative(inputs[0]))
    return by_inputs(np.where(inputs[0] > 0, dy, dy * below) * SELU_SCALE)


@gradient(ops.Gelu)
def gelu(op: ops.Gelu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Phi(x) + x phi(x), or the derivative of its approximation by tanh."""
    x = inputs[0]
    if op.approximate:
        factor = math.sqrt(2 / math.pi)
        bend = np.tanh(factor * (x + 0.044715 * x**3))
        slope = factor * (1 + 3 * 0.044715 * x**2)
        return by_inputs(dy * ((1 + bend) / 2 + x / 2 * (1 - bend**2) * slope))
    phi = np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi)
    share = (1 + _erf(x * math.sqrt(0.5)).astype(x.dtype)) / 2
    return by_inputs(dy * (share + x * phi))


@gradient(ops.Sigmoid)
def sigmoid(op: ops.Sigmoid, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """y (1 - y)."""
    return by_inputs(dy * output * (1 - output))


@gradient(ops.LogSigmoid)
def log_sigmoid(
    op: ops.LogSigmoid, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """The sigmoid of -x."""
    return by_inputs(dy * logistic(-inputs[0]))


@gradient(ops.Silu)
def silu(op: ops.Silu, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """s (1 + x (1 - s)) with s the sigmoid of x."""
    gate = logistic(inputs[0])
    return by_inputs(dy * gate * (1 + inputs[0] * (1 - gate)))


@gradient(ops.HardSigmoid)
def hardsigmoid(
    op: ops.HardSigmoid, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1/6 between -3 and 3."""
    return where(np.abs(inputs[0]) < 3, dy / 6)


@gradient(ops.HardSwish)
def hardswish(
    op: ops.HardSwish, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """0 up to -3, 1 from 3 on, between them x/3 + 1/2."""
    x = inputs[0]
    return by_inputs(dy * np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)))


@gradient(ops.Tanh)
def tanh(op: ops.Tanh, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 - y^2."""
    return by_inputs(dy * (1 - np.square(output)))


@gradient(ops.Softplus)
def softplus(
    op: ops.Softplus, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """The sigmoid of x."""
    return by_inputs(dy * logistic(inputs[0]))


@gradient(ops.Softsign)
def softsign(
    op: ops.Softsign, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """1/(1 + |x|)^2."""
    return by_inputs(dy / np.square(1 + np.abs(inputs[0])))


@gradient(ops.Mish)
def mish(op: ops.Mish, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """t + x (1 - t^2) sigmoid(x) with t the hyperbolic tangent of softplus."""
    x = inputs[0]
    gate = np.tanh(np.logaddexp(x, x.dtype.type(0)))
    return by_inputs(dy * (gate + x * (1 - np.square(gate)) * logistic(x)))


@gradient(ops.Softmax)
def softmax(op: ops.Softmax, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """y (dy - the sum of dy y along the axis)."""
    along = op.axis % (dy.ndim - 1) + 1
    return by_inputs(output * (dy - (dy * output).sum(axis=along, keepdims=True)))


@gradient(ops.LogSoftmax)
def log_softmax(
    op: ops.LogSoftmax, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """dy - softmax times the sum of dy along the axis."""
    along = op.axis % (dy.ndim - 1) + 1
    return by_inputs(dy - np.exp(output) * dy.sum(axis=along, keepdims=True))
