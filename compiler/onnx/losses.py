"""Losses in ONNX: one number a sample, [N]."""

from __future__ import annotations

from compiler.onnx import lowers
from compiler.onnx.emitter import Emitter
from compiler.ops import losses
from compiler.ops.shapes import channels_of

LEAST_LOGARITHM = -100.0  # of a probability, as in PyTorch


def mean_of_samples(emit: Emitter, x: str, rank: int, op_type: str = "ReduceMean") -> str:
    """[N] from [N, …] with so many axes behind the batch."""
    if rank == 0:
        return x
    return emit.node(op_type, x, emit.ints([*range(1, rank + 1)]), keepdims=0)


def over_channels(emit: Emitter, x: str) -> str:
    """The sum over the channels, whose axis goes."""
    return emit.node("ReduceSum", x, emit.ints([1]), keepdims=0)


def target_of(emit: Emitter, label: str, smoothing: float = 0.0) -> str:
    """What a softmax should be, [N, C, …]: from classes [N, …] or shares of them, smoothed."""
    scores, classes = emit.inputs
    count = channels_of(scores, emit.layer.op.name)
    rest = smoothing / count
    if len(classes) < len(scores):
        values = emit.floats([rest, 1 - smoothing + rest])
        return emit.node("OneHot", label, emit.ints([count]), values, axis=1)
    if not smoothing:
        return label
    kept = emit.node("Mul", label, emit.floats(1 - smoothing))
    return emit.node("Add", kept, emit.floats(rest))


@lowers(losses.CrossEntropy)
def cross_entropy(op: losses.CrossEntropy, emit: Emitter, scores: str, label: str) -> str:
    """-the sum over the classes of target * log softmax."""
    logs = emit.node("LogSoftmax", scores, axis=1)
    target = target_of(emit, label, op.smoothing)
    emit.keep(logs=logs, target=target)
    right = over_channels(emit, emit.node("Mul", target, logs))
    return emit.node("Neg", mean_of_samples(emit, right, len(emit.inputs[0]) - 1))


@lowers(losses.Accuracy)
def accuracy(op: losses.Accuracy, emit: Emitter, scores: str, label: str) -> str:
    """How often fewer than `top` scores stand before the right one."""
    shape, classes = emit.inputs
    if len(classes) == len(shape):
        best = emit.node("ArgMax", label, axis=1, keepdims=1)
    else:
        best = emit.node("Unsqueeze", label, emit.ints([1]))
    right = emit.node("GatherElements", scores, best, axis=1)
    count = channels_of(shape, op.name)
    dims = emit.ints([count, *([1] * (len(shape) - 1))])
    places = emit.node("Reshape", emit.ints([*range(count)]), dims)
    equal = emit.node("Equal", scores, right)
    ahead = emit.node("And", equal, emit.node("Less", places, best))
    before = emit.node("Or", emit.node("Greater", scores, right), ahead)
    first = emit.node("Where", before, emit.floats(1.0), emit.floats(0.0))
    below = emit.node("Less", over_channels(emit, first), emit.floats(op.top - 0.5))
    hits = emit.node("Where", below, emit.floats(1.0), emit.floats(0.0))
    return mean_of_samples(emit, hits, len(shape) - 1)


@lowers(losses.BinaryCrossEntropy)
def bce(op: losses.BinaryCrossEntropy, emit: Emitter, x: str, t: str) -> str:
    """softplus(x) - x t of logits; of probabilities logarithms that end at -100."""
    rank = len(emit.inputs[0])
    if op.logits:
        each = emit.node("Sub", softplus(emit, x), emit.node("Mul", x, t))
        return mean_of_samples(emit, each, rank)
    one, least = emit.floats(1.0), emit.floats(LEAST_LOGARITHM)
    yes = emit.node("Max", emit.node("Log", x), least)
    no = emit.node("Max", emit.node("Log", emit.node("Sub", one, x)), least)
    parts = emit.node("Mul", t, yes), emit.node("Mul", emit.node("Sub", one, t), no)
    return emit.node("Neg", mean_of_samples(emit, emit.node("Add", *parts), rank))


def softplus(emit: Emitter, x: str) -> str:
    """max(x, 0) + log(1 + e^-|x|): ONNX Runtime's own is e^x that overflows on some devices."""
    small = emit.node("Exp", emit.node("Neg", emit.node("Abs", x)))
    rest = emit.node("Log", emit.node("Add", small, emit.floats(1.0)))
    return emit.node("Add", emit.node("Relu", x), rest)


@lowers(losses.SquaredError)
def mse(op: losses.SquaredError, emit: Emitter, x: str, t: str) -> str:
    """(x - t)^2."""
    distance = emit.node("Sub", x, t)
    square = emit.node("Mul", distance, distance)
    return mean_of_samples(emit, square, len(emit.inputs[0]))


@lowers(losses.AbsoluteError)
def mae(op: losses.AbsoluteError, emit: Emitter, x: str, t: str) -> str:
    """|x - t|."""
    distance = emit.node("Abs", emit.node("Sub", x, t))
    return mean_of_samples(emit, distance, len(emit.inputs[0]))


@lowers(losses.Huber)
def huber(op: losses.Huber, emit: Emitter, x: str, t: str) -> str:
    """m (d - m/2) with m the distance d, at most delta."""
    distance = emit.node("Abs", emit.node("Sub", x, t))
    least = emit.node("Min", distance, emit.floats(op.delta))
    rest = emit.node("Sub", distance, emit.node("Mul", least, emit.floats(0.5)))
    return mean_of_samples(emit, emit.node("Mul", least, rest), len(emit.inputs[0]))


@lowers(losses.Hinge)
def hinge(op: losses.Hinge, emit: Emitter, x: str, t: str) -> str:
    """max(0, 1 - t x)."""
    missing = emit.node("Sub", emit.floats(1.0), emit.node("Mul", x, t))
    return mean_of_samples(emit, emit.node("Relu", missing), len(emit.inputs[0]))


@lowers(losses.Divergence)
def kl(op: losses.Divergence, emit: Emitter, p: str, q: str) -> str:
    """The sum over the channels of p (log p - log q), nothing where p is 0."""
    logs = q if op.logarithms else emit.node("Log", q)
    some = emit.node("Greater", p, emit.floats(0.0))
    own = emit.node("Log", emit.node("Where", some, p, emit.floats(1.0)))
    part = emit.node("Mul", p, emit.node("Sub", own, logs))
    counted = emit.node("Where", some, part, emit.floats(0.0))
    return mean_of_samples(emit, over_channels(emit, counted), len(emit.inputs[0]) - 1)


@lowers(losses.Total)
def total(op: losses.Total, emit: Emitter, x: str) -> str:
    """The sum of a sample."""
    return mean_of_samples(emit, x, len(emit.inputs[0]), "ReduceSum")


@lowers(losses.Average)
def average(op: losses.Average, emit: Emitter, x: str) -> str:
    """The mean of a sample."""
    return mean_of_samples(emit, x, len(emit.inputs[0]))
