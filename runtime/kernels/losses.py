"""Losses in NumPy: one number a sample, [N]."""

from __future__ import annotations

import numpy as np

from compiler.ops import losses
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.activate import log_probabilities

LEAST_LOGARITHM = -100.0  # of a probability, as in PyTorch


def mean_of_samples(values: Array) -> Array:
    """[N, …] to [N]."""
    return np.asarray(values.reshape(len(values), -1).mean(axis=1))


def target(inputs: Inputs, smoothing: float) -> Array:
    """What a softmax should be, [N, C, …]: 1 at the right class, or the shares that are given.

    Smoothed it is (1 - smoothing) target + smoothing/C (Szegedy et al. 2016, section 7).
    """
    scores, label = inputs
    if label.ndim < scores.ndim:
        places = np.arange(scores.shape[1]).reshape(1, -1, *([1] * (scores.ndim - 2)))
        label = (label[:, None] == places).astype(scores.dtype)
    return np.asarray(label * (1 - smoothing) + smoothing / scores.shape[1])


@kernel(losses.CrossEntropy)
def cross_entropy(op: losses.CrossEntropy, inputs: Inputs, arrays: Arrays) -> Array:
    """-the sum over the classes of target * log p."""
    logs = log_probabilities(inputs[0], 0)
    return mean_of_samples(-(target(inputs, op.smoothing) * logs).sum(axis=1))


@kernel(losses.Accuracy)
def accuracy(op: losses.Accuracy, inputs: Inputs, arrays: Arrays) -> Array:
    """How often fewer than `top` scores stand before the right one."""
    scores, label = inputs
    places = np.arange(scores.shape[1]).reshape(1, -1, *([1] * (scores.ndim - 2)))
    best = label.argmax(axis=1) if label.ndim == scores.ndim else label.astype(np.intp)
    right = np.take_along_axis(scores, best[:, None], axis=1)
    before = (scores > right) | ((scores == right) & (places < best[:, None]))
    return mean_of_samples((before.sum(axis=1) < op.top).astype(scores.dtype))


@kernel(losses.BinaryCrossEntropy)
def bce(op: losses.BinaryCrossEntropy, inputs: Inputs, arrays: Arrays) -> Array:
    """-(t log p + (1 - t) log(1 - p)), or max(x, 0) - x t + log(1 + e^-|x|) of logits."""
    x, target = inputs
    if op.logits:
        return mean_of_samples(np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x))))
    yes = np.maximum(np.log(x), LEAST_LOGARITHM)
    no = np.maximum(np.log1p(-x), LEAST_LOGARITHM)
    return mean_of_samples(-(target * yes + (1 - target) * no))


@kernel(losses.SquaredError)
def mse(op: losses.SquaredError, inputs: Inputs, arrays: Arrays) -> Array:
    """(x - t)^2."""
    return mean_of_samples(np.square(inputs[0] - inputs[1]))


@kernel(losses.AbsoluteError)
def mae(op: losses.AbsoluteError, inputs: Inputs, arrays: Arrays) -> Array:
    """|x - t|."""
    return mean_of_samples(np.abs(inputs[0] - inputs[1]))


@kernel(losses.Huber)
def huber(op: losses.Huber, inputs: Inputs, arrays: Arrays) -> Array:
    """d^2/2 up to d = delta, then delta (d - delta/2)."""
    distance = np.abs(inputs[0] - inputs[1])
    line = op.delta * (distance - op.delta / 2)
    return mean_of_samples(np.where(distance <= op.delta, np.square(distance) / 2, line))


@kernel(losses.Hinge)
def hinge(op: losses.Hinge, inputs: Inputs, arrays: Arrays) -> Array:
    """max(0, 1 - t x)."""
    return mean_of_samples(np.maximum(1 - inputs[0] * inputs[1], 0))


@kernel(losses.Divergence)
def kl(op: losses.Divergence, inputs: Inputs, arrays: Arrays) -> Array:
    """The sum over the channels of p (log p - log q)."""
    p, q = inputs
    logs = q if op.logarithms else np.log(q)
    parts = np.where(p > 0, p * (np.log(np.where(p > 0, p, 1)) - logs), 0)
    return mean_of_samples(parts.sum(axis=1))


@kernel(losses.Total)
def total(op: losses.Total, inputs: Inputs, arrays: Arrays) -> Array:
    """The sum of a sample."""
    return np.asarray(inputs[0].reshape(len(inputs[0]), -1).sum(axis=1))


@kernel(losses.Average)
def average(op: losses.Average, inputs: Inputs, arrays: Arrays) -> Array:
    """The mean of a sample."""
    return mean_of_samples(inputs[0])
