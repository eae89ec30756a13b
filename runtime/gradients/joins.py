"""Derivatives of the joins; what a branch was stretched over is summed."""

from __future__ import annotations

from functools import reduce

import numpy as np

from compiler.ops.joins import Add, Concat, Div, Max, Mean, Min, Mul, Sub
from runtime.gradients import Gradients, by_inputs, gradient
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.joins import lined_up


def gathered(dy: Array, x: Array) -> Array:
    """The sum over the axes along which `x` was stretched, which may have fewer of them."""
    (wide,) = lined_up((x, dy))[:1]
    axes = tuple(i for i, (a, b) in enumerate(zip(dy.shape, wide.shape, strict=True)) if a != b)
    return np.asarray(dy.sum(axis=axes, keepdims=True)).reshape(x.shape) if axes else dy


@gradient(Add)
def add(op: Add, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy for every branch."""
    return by_inputs(*(gathered(dy, x) for x in inputs))


@gradient(Mean)
def mean(op: Mean, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy over the number of branches."""
    return by_inputs(*(gathered(dy / len(inputs), x) for x in inputs))


@gradient(Mul)
def mul(op: Mul, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy times the other branches."""
    wide = lined_up(inputs)
    others = (wide[:i] + wide[i + 1 :] for i in range(len(wide)))
    return by_inputs(
        *(
            gathered(reduce(np.multiply, rest, dy), x)
            for rest, x in zip(others, inputs, strict=True)
        )
    )


@gradient(Sub)
def sub(op: Sub, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy and -dy."""
    return by_inputs(gathered(dy, inputs[0]), gathered(-dy, inputs[1]))


@gradient(Div)
def div(op: Div, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """1/b and -y/b."""
    a, b = inputs
    divisor = lined_up((b, dy))[0]
    return by_inputs(gathered(dy / divisor, a), gathered(-dy * output / divisor, b))


@gradient(Max, Min)
def extreme(op: Max | Min, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """dy for the branch that wins, of equal ones the first."""
    free, shares = np.ones(dy.shape, dtype=bool), []
    for x, wide in zip(inputs, lined_up(inputs), strict=True):
        wins = free & (wide == output)
        shares.append(gathered(np.where(wins, dy, 0), x))
        free &= ~wins
    return by_inputs(*shares)


@gradient(Concat)
def concat(op: Concat, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """The part of dy that each branch became."""
    axis = op.axis % (dy.ndim - 1) + 1
    ends = np.cumsum([x.shape[axis] for x in inputs])[:-1]
    return by_inputs(*np.split(dy, ends, axis=axis))
