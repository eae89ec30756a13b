"""Derivatives of the losses; dy holds one number a sample, [N]."""

from __future__ import annotations

import numpy as np

from compiler.ops import losses
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.activate import log_probabilities, logistic
from runtime.kernels.losses import LEAST_LOGARITHM, target


def over_samples(dy: Array, x: Array) -> Array:
    """[N] shaped to broadcast over [N, …]."""
    return dy.reshape(-1, *([1] * (x.ndim - 1)))


def shared(dy: Array, x: Array) -> Array:
    """What each number of a sample gets of a mean over all of them."""
    return over_samples(dy, x) / dy.dtype.type(x[0].size)


@gradient(losses.CrossEntropy)
def cross_entropy(
    op: losses.CrossEntropy, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """softmax * the sum of the target - target; shares themselves are not learned."""
    x, wanted = inputs[0], target(inputs, op.smoothing)
    expected = np.exp(log_probabilities(x, 0)) * wanted.sum(axis=1, keepdims=True)
    return by_inputs((expected - wanted) * shared(dy, x[:, :1]), None)


@gradient(losses.BinaryCrossEntropy)
def bce(
    op: losses.BinaryCrossEntropy,
    inputs: Inputs,
    arrays: Arrays,
    output: Array,
    dy: Array,
) -> Gradients:
    """(p - t)/(p (1 - p)) by p, sigmoid(x) - t by logits; by the target the logits, negative.

    Where a logarithm is cut off it is constant.
    """
    x, t = inputs
    share = shared(dy, x)
    if op.logits:
        return by_inputs(share * (logistic(x) - t), -share * x)
    yes, no = np.log(x), np.log1p(-x)
    inside_yes, inside_no = yes > LEAST_LOGARITHM, no > LEAST_LOGARITHM
    by_yes = np.where(inside_yes, t / x, 0)
    by_no = np.where(inside_no, (1 - t) / (1 - x), 0)
    yes, no = np.maximum(yes, LEAST_LOGARITHM), np.maximum(no, LEAST_LOGARITHM)
    return by_inputs(share * (by_no - by_yes), share * (no - yes))


@gradient(losses.SquaredError)
def mse(
    op: losses.SquaredError, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """2 (x - t)."""
    dx = shared(dy, inputs[0]) * 2 * (inputs[0] - inputs[1])
    return by_inputs(dx, -dx)


@gradient(losses.AbsoluteError)
def mae(
    op: losses.AbsoluteError, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """The sign of x - t."""
    dx = shared(dy, inputs[0]) * np.sign(inputs[0] - inputs[1])
    return by_inputs(dx, -dx)


@gradient(losses.Huber)
def huber(op: losses.Huber, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """x - t, at most delta in size."""
    dx = shared(dy, inputs[0]) * np.clip(inputs[0] - inputs[1], -op.delta, op.delta)
    return by_inputs(dx, -dx)


@gradient(losses.Hinge)
def hinge(op: losses.Hinge, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """-t by x and -x by t where t x is below 1."""
    x, t = inputs
    share = shared(dy, x) * (x * t < 1)
    return by_inputs(-share * t, -share * x)


@gradient(losses.Divergence)
def kl(
    op: losses.Divergence, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """log p - log q + 1 by p where p is above 0, -p/q by q, -p by log q."""
    p, q = inputs
    share = shared(dy, p[:, :1])
    logs = q if op.logarithms else np.log(q)
    by_p = np.where(p > 0, np.log(np.where(p > 0, p, 1)) + 1 - logs, 0)
    return by_inputs(share * by_p, -share * (p if op.logarithms else p / q))


@gradient(losses.Total)
def total(op: losses.Total, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1 for every number."""
    return by_inputs(np.broadcast_to(over_samples(dy, inputs[0]), inputs[0].shape))


@gradient(losses.Average)
def average(
    op: losses.Average, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """One over their number for every number."""
    return by_inputs(np.broadcast_to(shared(dy, inputs[0]), inputs[0].shape))
