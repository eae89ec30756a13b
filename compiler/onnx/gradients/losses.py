"""Derivatives of the losses in ONNX; dy holds one number a sample, [N]."""

from __future__ import annotations

from math import prod

from compiler.onnx.emitter import Emitter
from compiler.onnx.gradients import Gradients, by_inputs, differentiates
from compiler.onnx.gradients.arithmetic import masked, summed
from compiler.onnx.losses import LEAST_LOGARITHM
from compiler.ops import losses
from compiler.ops.base import Shape
from compiler.ops.shapes import known


def shared(emit: Emitter, dy: str, counted: Shape, factor: float = 1.0) -> str:
    """What each number of a sample gets of a mean over `counted`: [N, 1, …] as wide as the input.

    Times a factor, so that constants of a formula cost nothing.
    """
    dims = emit.ints([-1, *([1] * len(emit.inputs[0]))])
    share = emit.floats(factor / prod(known(counted, emit.layer.op.name)))
    return emit.node("Mul", emit.node("Reshape", dy, dims), share)


def opposite(emit: Emitter, dx: str) -> Gradients:
    """A function of x - t: by the target the same with the other sign."""
    return by_inputs(dx, emit.node("Neg", dx))


@differentiates(losses.CrossEntropy)
def cross_entropy(op: losses.CrossEntropy, emit: Emitter, dy: str, x: str, label: str) -> Gradients:
    """softmax * the sum of the target - target; shares themselves are not learned."""
    target = emit.kept["target"]
    shares = emit.node("Exp", emit.kept["logs"])
    if len(emit.inputs[1]) == len(emit.inputs[0]):
        shares = emit.node("Mul", shares, summed(emit, target, [1], keep=True))
    distance = emit.node("Sub", shares, target)
    return by_inputs(emit.node("Mul", distance, shared(emit, dy, emit.inputs[0][1:])), None)


@differentiates(losses.BinaryCrossEntropy)
def bce(op: losses.BinaryCrossEntropy, emit: Emitter, dy: str, x: str, t: str) -> Gradients:
    """(1 - t)/(1 - p) - t/p by p, sigmoid(x) - t by logits; by the target the logits, negative.

    Where a logarithm is cut off it is constant.
    """
    share = shared(emit, dy, emit.inputs[0])
    if op.logits:
        distance = emit.node("Sub", emit.node("Sigmoid", x), t)
        by_target = emit.node("Neg", emit.node("Mul", share, x))
        return by_inputs(emit.node("Mul", share, distance), by_target)
    one, zero, least = emit.floats(1.0), emit.floats(0.0), emit.floats(LEAST_LOGARITHM)
    complement = emit.node("Sub", one, x)
    yes, no = emit.node("Log", x), emit.node("Log", complement)
    by_yes = emit.node("Div", t, x)
    by_no = emit.node("Div", emit.node("Sub", one, t), complement)
    by_yes = emit.node("Where", emit.node("Greater", yes, least), by_yes, zero)
    by_no = emit.node("Where", emit.node("Greater", no, least), by_no, zero)
    logarithms = emit.node("Sub", emit.node("Max", no, least), emit.node("Max", yes, least))
    dx = emit.node("Mul", share, emit.node("Sub", by_no, by_yes))
    return by_inputs(dx, emit.node("Mul", share, logarithms))


@differentiates(losses.SquaredError)
def mse(op: losses.SquaredError, emit: Emitter, dy: str, x: str, t: str) -> Gradients:
    """2 (x - t)."""
    share = shared(emit, dy, emit.inputs[0], 2.0)
    return opposite(emit, emit.node("Mul", emit.node("Sub", x, t), share))


@differentiates(losses.AbsoluteError)
def mae(op: losses.AbsoluteError, emit: Emitter, dy: str, x: str, t: str) -> Gradients:
    """The sign of x - t."""
    sign = emit.node("Sign", emit.node("Sub", x, t))
    return opposite(emit, emit.node("Mul", sign, shared(emit, dy, emit.inputs[0])))


@differentiates(losses.Huber)
def huber(op: losses.Huber, emit: Emitter, dy: str, x: str, t: str) -> Gradients:
    """x - t, at most delta in size."""
    bounds = emit.floats(-op.delta), emit.floats(op.delta)
    distance = emit.node("Clip", emit.node("Sub", x, t), *bounds)
    return opposite(emit, emit.node("Mul", distance, shared(emit, dy, emit.inputs[0])))


@differentiates(losses.Hinge)
def hinge(op: losses.Hinge, emit: Emitter, dy: str, x: str, t: str) -> Gradients:
    """-t by x and -x by t where t x is below 1."""
    missed = emit.node("Less", emit.node("Mul", x, t), emit.floats(1.0))
    share = masked(emit, missed, shared(emit, dy, emit.inputs[0], -1.0))
    return by_inputs(emit.node("Mul", share, t), emit.node("Mul", share, x))


@differentiates(losses.Divergence)
def kl(op: losses.Divergence, emit: Emitter, dy: str, p: str, q: str) -> Gradients:
    """log p - log q + 1 by p where p is above 0, -p/q by q, -p by log q."""
    share = shared(emit, dy, emit.inputs[0][1:])
    one, zero = emit.floats(1.0), emit.floats(0.0)
    some = emit.node("Greater", p, zero)
    logs = q if op.logarithms else emit.node("Log", q)
    own = emit.node("Log", emit.node("Where", some, p, one))
    distance = emit.node("Sub", emit.node("Add", own, one), logs)
    by_p = emit.node("Mul", emit.node("Where", some, distance, zero), share)
    by_q = p if op.logarithms else emit.node("Div", p, q)
    return by_inputs(by_p, emit.node("Neg", emit.node("Mul", by_q, share)))


@differentiates(losses.Total)
def total(op: losses.Total, emit: Emitter, dy: str, x: str) -> Gradients:
    """1 for every number."""
    return by_inputs(emit.node("Expand", shared(emit, dy, ()), emit.node("Shape", x)))


@differentiates(losses.Average)
def average(op: losses.Average, emit: Emitter, dy: str, x: str) -> Gradients:
    """One over their number for every number."""
    share = shared(emit, dy, emit.inputs[0])
    return by_inputs(emit.node("Expand", share, emit.node("Shape", x)))
