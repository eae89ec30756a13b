"""Derivatives of the activation functions in ONNX."""

from __future__ import annotations

import math

from onnx import TensorProto

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import masked, over_channels, per_channel, summed
from compiler.ops import activate as ops

# Klambauer et al. 2017, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@differentiates(ops.Relu)
def relu(op: ops.Relu, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 where the output is above 0: the input need not be kept."""
    return by_inputs(masked(emit, emit.node("Greater", emit.result, emit.floats(0.0)), dy))


@differentiates(ops.Relu6)
def relu6(op: ops.Relu6, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 between 0 and 6."""
    above = emit.node("Greater", x, emit.floats(0.0))
    below = emit.node("Less", x, emit.floats(6.0))
    return by_inputs(masked(emit, emit.node("And", above, below), dy))


@differentiates(ops.Clip)
def clip(op: ops.Clip, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 from lo to hi, both included: where nothing was clipped."""
    return by_inputs(masked(emit, emit.node("Equal", x, emit.result), dy))


def two_sided(emit: Emitter, dy: str, x: str, below: str) -> Gradients:
    """dy above 0, else dy times `below`."""
    above = emit.node("Greater", x, emit.floats(0.0))
    return by_inputs(emit.node("Where", above, dy, emit.node("Mul", dy, below)))


@differentiates(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 above 0, else the slope: the larger of the two where the slope is between 0 and 1."""
    if not 0 <= op.slope <= 1:
        return two_sided(emit, dy, x, emit.floats(op.slope))
    above = emit.node("Greater", x, emit.floats(0.0))
    positive = emit.node("Cast", above, to=TensorProto.FLOAT)  # a Where takes longer
    return by_inputs(emit.node("Mul", dy, emit.node("Max", positive, emit.floats(op.slope))))


@differentiates(ops.PRelu)
def prelu(op: ops.PRelu, emit: Emitter, dy: str, x: str) -> Gradients:
    """As leaky_relu; by the slope min(x, 0)."""
    rank = len(emit.output)
    slope = per_channel(emit, emit.weight("weight"), rank)
    by_slope = emit.node("Mul", dy, emit.node("Min", x, emit.floats(0.0)))
    if op.channelwise:
        weight = over_channels(emit, by_slope, rank)
    else:
        total = summed(emit, by_slope, range(rank + 1))
        weight = emit.node("Reshape", total, emit.ints([1]))
    return Gradients(two_sided(emit, dy, x, slope).inputs, {"weight": weight})


@differentiates(ops.Elu)
def elu(op: ops.Elu, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 above 0, else y + alpha, which is alpha e^x."""
    return two_sided(emit, dy, x, emit.node("Add", emit.result, emit.floats(op.alpha)))


@differentiates(ops.Celu)
def celu(op: ops.Celu, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 above 0, else y/alpha + 1, which is e^(x/alpha)."""
    scaled = emit.node("Div", emit.result, emit.floats(op.alpha))
    return two_sided(emit, dy, x, emit.node("Add", scaled, emit.floats(1.0)))


@differentiates(ops.ThresholdedRelu)
def thresholded_relu(op: ops.ThresholdedRelu, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 above the threshold."""
    return by_inputs(masked(emit, emit.node("Greater", x, emit.floats(op.threshold)), dy))


@differentiates(ops.Selu)
def selu(op: ops.Selu, emit: Emitter, dy: str, x: str) -> Gradients:
    """The scale above 0, else y + scale * alpha, which is scale * alpha * e^x."""
    below = emit.node("Add", emit.result, emit.floats(SELU_SCALE * SELU_ALPHA))
    above = emit.node("Greater", x, emit.floats(0.0))
    steep = emit.node("Where", above, emit.floats(SELU_SCALE), below)
    return by_inputs(emit.node("Mul", dy, steep))


@differentiates(ops.Gelu)
def gelu(op: ops.Gelu, emit: Emitter, dy: str, x: str) -> Gradients:
    """Phi(x) + x phi(x), or the derivative of its approximation by tanh."""
    one, half = emit.floats(1.0), emit.floats(0.5)
    square = emit.node("Mul", x, x)
    if op.approximate:
        factor = math.sqrt(2 / math.pi)
        cube = emit.node("Mul", emit.node("Mul", square, x), emit.floats(0.044715))
        inner = emit.node("Mul", emit.node("Add", x, cube), emit.floats(factor))
        bend = emit.node("Tanh", inner)
        share = emit.node("Mul", emit.node("Add", bend, one), half)
        rest = emit.node("Sub", one, emit.node("Mul", bend, bend))
        slope = emit.node("Mul", square, emit.floats(3 * 0.044715 * factor / 2))
        slope = emit.node("Add", slope, emit.floats(factor / 2))
        density = emit.node("Mul", rest, slope)
    else:
        erf = emit.node("Erf", emit.node("Mul", x, emit.floats(math.sqrt(0.5))))
        share = emit.node("Mul", emit.node("Add", erf, one), half)
        bell = emit.node("Exp", emit.node("Mul", square, emit.floats(-0.5)))
        density = emit.node("Mul", bell, emit.floats(1 / math.sqrt(2 * math.pi)))
    steep = emit.node("Add", share, emit.node("Mul", x, density))
    return by_inputs(emit.node("Mul", dy, steep))


@differentiates(ops.Sigmoid)
def sigmoid(op: ops.Sigmoid, emit: Emitter, dy: str, x: str) -> Gradients:
    """y (1 - y)."""
    steep = emit.node("Mul", emit.result, emit.node("Sub", emit.floats(1.0), emit.result))
    return by_inputs(emit.node("Mul", dy, steep))


@differentiates(ops.Silu)
def silu(op: ops.Silu, emit: Emitter, dy: str, x: str) -> Gradients:
    """s + y (1 - s) with s the sigmoid of x."""
    gate = emit.node("Sigmoid", x)
    rest = emit.node("Mul", emit.result, emit.node("Sub", emit.floats(1.0), gate))
    return by_inputs(emit.node("Mul", dy, emit.node("Add", gate, rest)))


@differentiates(ops.LogSigmoid)
def log_sigmoid(op: ops.LogSigmoid, emit: Emitter, dy: str, x: str) -> Gradients:
    """The sigmoid of -x."""
    return by_inputs(emit.node("Mul", dy, emit.node("Sigmoid", emit.node("Neg", x))))


def within(emit: Emitter, x: str, bound: float) -> str:
    """Where |x| is below a bound."""
    return emit.node("Less", emit.node("Abs", x), emit.floats(bound))


@differentiates(ops.HardSigmoid)
def hardsigmoid(op: ops.HardSigmoid, emit: Emitter, dy: str, x: str) -> Gradients:
    """1/6 between -3 and 3."""
    return by_inputs(masked(emit, within(emit, x, 3.0), emit.node("Mul", dy, emit.floats(1 / 6))))


@differentiates(ops.HardSwish)
def hardswish(op: ops.HardSwish, emit: Emitter, dy: str, x: str) -> Gradients:
    """0 up to -3, 1 from 3 on, between them x/3 + 1/2."""
    slope = emit.node("Mul", x, emit.floats(1 / 3))
    slope = emit.node("Add", slope, emit.floats(0.5))
    beyond = emit.node(
        "Where", emit.node("Less", x, emit.floats(0.0)), emit.floats(0.0), emit.floats(1.0)
    )
    steep = emit.node("Where", within(emit, x, 3.0), slope, beyond)
    return by_inputs(emit.node("Mul", dy, steep))


@differentiates(ops.Tanh)
def tanh(op: ops.Tanh, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 - y^2."""
    square = emit.node("Mul", emit.result, emit.result)
    return by_inputs(emit.node("Mul", dy, emit.node("Sub", emit.floats(1.0), square)))


@differentiates(ops.Softplus)
def softplus(op: ops.Softplus, emit: Emitter, dy: str, x: str) -> Gradients:
    """The sigmoid of x."""
    return by_inputs(emit.node("Mul", dy, emit.node("Sigmoid", x)))


@differentiates(ops.Softsign)
def softsign(op: ops.Softsign, emit: Emitter, dy: str, x: str) -> Gradients:
    """1/(1 + |x|)^2."""
    size = emit.node("Add", emit.node("Abs", x), emit.floats(1.0))
    return by_inputs(emit.node("Div", dy, emit.node("Mul", size, size)))


@differentiates(ops.Mish)
def mish(op: ops.Mish, emit: Emitter, dy: str, x: str) -> Gradients:
    """t + x (1 - t^2) sigmoid(x) with t the hyperbolic tangent of softplus."""
    gate = emit.node("Tanh", emit.node("Softplus", x))
    rest = emit.node("Sub", emit.floats(1.0), emit.node("Mul", gate, gate))
    slope = emit.node("Mul", emit.node("Mul", x, rest), emit.node("Sigmoid", x))
    return by_inputs(emit.node("Mul", dy, emit.node("Add", gate, slope)))


@differentiates(ops.Softmax)
def softmax(op: ops.Softmax, emit: Emitter, dy: str, x: str) -> Gradients:
    """y (dy - the sum of dy y along the axis)."""
    axis = op.axis % len(emit.output) + 1
    total = summed(emit, emit.node("Mul", dy, emit.result), [axis], keep=True)
    return by_inputs(emit.node("Mul", emit.result, emit.node("Sub", dy, total)))


@differentiates(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, emit: Emitter, dy: str, x: str) -> Gradients:
    """dy - softmax times the sum of dy along the axis."""
    total = summed(emit, dy, [op.axis % len(emit.output) + 1], keep=True)
    shares = emit.node("Exp", emit.result)
    return by_inputs(emit.node("Sub", dy, emit.node("Mul", shares, total)))
