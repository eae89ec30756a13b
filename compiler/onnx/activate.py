"""Activation functions in ONNX."""

from __future__ import annotations

import math

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops import activate as ops

ONE_NODE: dict[type[ops.Activation], str] = {
    ops.Relu: "Relu",
    ops.Selu: "Selu",
    ops.Sigmoid: "Sigmoid",
    ops.Softplus: "Softplus",
    ops.Softsign: "Softsign",
    ops.Tanh: "Tanh",
}


@lowers(*ONE_NODE)
def one_node(op: ops.Activation, emit: Emitter, x: str) -> str:
    """The operator of the same meaning."""
    return emit.node(ONE_NODE[type(op)], x)


@lowers(ops.Relu6)
def relu6(op: ops.Relu6, emit: Emitter, x: str) -> str:
    """A Clip."""
    return emit.node("Clip", x, emit.floats(0.0), emit.floats(6.0))


@lowers(ops.Clip)
def clip(op: ops.Clip, emit: Emitter, x: str) -> str:
    """A Clip."""
    return emit.node("Clip", x, emit.floats(op.lo), emit.floats(op.hi))


@lowers(ops.LeakyRelu)
def leaky_relu(op: ops.LeakyRelu, emit: Emitter, x: str) -> str:
    """A LeakyRelu."""
    return emit.node("LeakyRelu", x, alpha=op.slope)


@lowers(ops.PRelu)
def prelu(op: ops.PRelu, emit: Emitter, x: str) -> str:
    """A PRelu whose slope has an axis for each of a sample."""
    rank = len(emit.inputs[0]) - 1
    slope = emit.node("Reshape", emit.weight("weight"), emit.ints([-1, *([1] * rank)]))
    return emit.node("PRelu", x, slope)


@lowers(ops.Elu)
def elu(op: ops.Elu, emit: Emitter, x: str) -> str:
    """An Elu."""
    return emit.node("Elu", x, alpha=op.alpha)


@lowers(ops.Celu)
def celu(op: ops.Celu, emit: Emitter, x: str) -> str:
    """A Celu."""
    return emit.node("Celu", x, alpha=op.alpha)


@lowers(ops.ThresholdedRelu)
def thresholded_relu(op: ops.ThresholdedRelu, emit: Emitter, x: str) -> str:
    """A ThresholdedRelu."""
    return emit.node("ThresholdedRelu", x, alpha=op.threshold)


@lowers(ops.Gelu)
def gelu(op: ops.Gelu, emit: Emitter, x: str) -> str:
    """x * Phi(x) written out: ONNX has the operator from opset 20 on only."""
    if op.approximate:
        return gelu_by_tanh(emit, x)
    erf = emit.node("Erf", emit.node("Mul", x, emit.floats(math.sqrt(0.5))))
    phi = emit.node("Mul", emit.node("Add", erf, emit.floats(1.0)), emit.floats(0.5))
    return emit.node("Mul", x, phi)


def gelu_by_tanh(emit: Emitter, x: str) -> str:
    """The approximation, written out."""
    cube = emit.node("Mul", emit.node("Mul", emit.node("Mul", x, x), x), emit.floats(0.044715))
    inner = emit.node("Mul", emit.node("Add", x, cube), emit.floats(math.sqrt(2 / math.pi)))
    rest = emit.node("Add", emit.node("Tanh", inner), emit.floats(1.0))
    return emit.node("Mul", emit.node("Mul", x, rest), emit.floats(0.5))


@lowers(ops.LogSigmoid)
def log_sigmoid(op: ops.LogSigmoid, emit: Emitter, x: str) -> str:
    """-softplus(-x)."""
    return emit.node("Neg", emit.node("Softplus", emit.node("Neg", x)))


@lowers(ops.Silu)
def silu(op: ops.Silu, emit: Emitter, x: str) -> str:
    """x * sigmoid(x)."""
    return emit.node("Mul", x, emit.node("Sigmoid", x))


@lowers(ops.Mish)
def mish(op: ops.Mish, emit: Emitter, x: str) -> str:
    """x * tanh(softplus(x))."""
    gate = emit.node("Tanh", emit.node("Softplus", x))
    return emit.node("Mul", x, gate)


@lowers(ops.HardSigmoid)
def hardsigmoid(op: ops.HardSigmoid, emit: Emitter, x: str) -> str:
    """A HardSigmoid."""
    return emit.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@lowers(ops.HardSwish)
def hardswish(op: ops.HardSwish, emit: Emitter, x: str) -> str:
    """x times its hard sigmoid."""
    return emit.node("Mul", x, emit.node("HardSigmoid", x, alpha=1 / 6, beta=0.5))


@lowers(ops.Softmax)
def softmax(op: ops.Softmax, emit: Emitter, x: str) -> str:
    """A Softmax."""
    return emit.node("Softmax", x, axis=op.axis % len(emit.output) + 1)


@lowers(ops.LogSoftmax)
def log_softmax(op: ops.LogSoftmax, emit: Emitter, x: str) -> str:
    """A LogSoftmax."""
    return emit.node("LogSoftmax", x, axis=op.axis % len(emit.output) + 1)
