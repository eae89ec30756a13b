"""Logarithms of what a sigmoid, a softmax or an exponential made, written so that none is lost.

log(sigmoid(x)) = -softplus(-x), log(1 - sigmoid(x)) = -softplus(x), log(softmax(x)) =
log_softmax(x): a sigmoid rounds to 1 beyond 17 and to 0 below -104 in float32, where the left
sides are infinite and the gradients of the right ones are still exact.
"""

from __future__ import annotations

from compiler.graph import Input, Node
from compiler.ops.activate import (
    Clip,
    HardSigmoid,
    LogSoftmax,
    Relu,
    Relu6,
    Sigmoid,
    Softmax,
    Softplus,
)
from compiler.ops.connect import Dropout, Identity
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from compiler.ops.joins import Add, Mul
from compiler.ops.reshape import Flatten, Reshape
from compiler.ops.scale import Scale, Shift
from compiler.training.whole import Whole
from compiler.values import Tensor
from grammar.source import Span

REARRANGED = (Flatten, Reshape, Identity)  # and nothing else: log passes through them


def logarithm(whole: Whole, tensor: Tensor, span: Span) -> Tensor:
    """log of a tensor, by the form that loses nothing."""
    node = whole.node_of(tensor)
    if isinstance(node.op, REARRANGED) and not isinstance(node.op, Dropout):
        inner = logarithm(whole, source(whole, node), span)
        return whole.apply(node.op, [inner], span)
    if type(node.op) is Sigmoid:
        return log_sigmoid(whole, negative(whole, source(whole, node), span), span)
    if type(node.op) is Softmax:
        return whole.apply(LogSoftmax(node.op.axis), [source(whole, node)], span)
    if type(node.op) is Exponential:
        return source(whole, node)
    opposite = complement(whole, node)
    made = None if opposite is None else log_complement(whole, opposite, span)
    return whole.apply(Logarithm(), [tensor], span) if made is None else made


def log_complement(whole: Whole, node: Node, span: Span) -> Tensor | None:
    """log(1 - sigmoid(x)) = -softplus(x) of a sigmoid, reshaped or not; None for another op."""
    if type(node.op) is Sigmoid:
        return log_sigmoid(whole, source(whole, node), span)
    if isinstance(node.op, REARRANGED) and not isinstance(node.op, Dropout):
        inner = log_complement(whole, whole.graph[node.inputs[0]], span)
        return None if inner is None else whole.apply(node.op, [inner], span)
    return None


def log_sigmoid(whole: Whole, minus_x: Tensor, span: Span) -> Tensor:
    """log(sigmoid(x)) = -softplus(-x), of -x."""
    return negative(whole, whole.apply(Softplus(), [minus_x], span), span)


def negative(whole: Whole, tensor: Tensor, span: Span) -> Tensor:
    """-x; of -x it is x."""
    node = whole.node_of(tensor)
    if node.op == Scale(-1.0):
        return source(whole, node)
    return whole.apply(Scale(-1.0), [tensor], span)


def source(whole: Whole, node: Node) -> Tensor:
    """The tensor that a node of one input takes."""
    (name,) = node.inputs
    return Tensor(name, whole.graph[name].shape)


def complement(whole: Whole, node: Node) -> Node | None:
    """For 1 - p the node that makes p, reshaping left out."""
    while isinstance(node.op, REARRANGED) and not isinstance(node.op, Dropout):
        node = whole.graph[node.inputs[0]]
    if node.op != Shift(1.0) or whole.graph[node.inputs[0]].op != Scale(-1.0):
        return None
    return whole.graph[whole.graph[node.inputs[0]].inputs[0]]


def is_share(whole: Whole, node: Node) -> bool:
    """Whether all values surely lie from 0 to 1."""
    match node.op:
        case LogSoftmax():
            return False
        case Sigmoid() | Softmax() | HardSigmoid():
            return type(node.op) in (Sigmoid, Softmax, HardSigmoid)
        case Clip(lo=lo, hi=hi):
            return lo >= 0 and hi <= 1
        case Mul():
            return all(is_share(whole, whole.graph[name]) for name in node.inputs)
        case Power(exponent=exponent) if exponent < 0:
            return False
        case _ if passes_signs(node) and node.op.name != "sum":
            return is_share(whole, whole.graph[node.inputs[0]])
    return False


def is_never_negative(whole: Whole, node: Node) -> bool:
    """Whether no value is surely negative; of data it is taken on trust."""
    inputs = [whole.graph[name] for name in node.inputs]
    match node.op:
        case Input():
            return node.name not in whole.noises
        case Absolute() | Exponential() | Relu() | Relu6() | Softplus():
            return True
        case Power(exponent=exponent) if exponent % 2 == 0:
            return True
        case Clip(lo=lo):
            return lo >= 0
        case Shift(offset=offset) if isinstance(offset, float):
            shares = complement(whole, node)
            if offset == 1 and shares is not None and is_share(whole, shares):
                return True
            return offset >= 0 and is_never_negative(whole, inputs[0])
        case Scale(factor=factor) if isinstance(factor, float):
            return factor >= 0 and is_never_negative(whole, inputs[0])
        case Add() | Mul():
            return all(is_never_negative(whole, each) for each in inputs)
        case _ if node.op.group in ("loss",):
            return node.op.name not in ("sum", "mean") or is_never_negative(whole, inputs[0])
        case _ if passes_signs(node):
            return is_never_negative(whole, inputs[0])
    return is_share(whole, node)


def is_often_zero(whole: Whole, node: Node) -> bool:
    """Whether a relu surely makes 0 of every negative number, and nothing is added to that."""
    while node.op.name in MOVING and len(node.inputs) == 1:
        node = whole.graph[node.inputs[0]]
    return type(node.op) in (Relu, Relu6) or (isinstance(node.op, Clip) and node.op.lo == 0)


def passes_signs(node: Node) -> bool:
    """Whether an op only moves, averages or leaves out values."""
    return node.op.name in PASSING and len(node.inputs) == 1


MOVING = frozenset(["flatten", "reshape", "transpose", "identity", "crop", "channels"])
PASSING = frozenset(
    [
        "flatten",
        "reshape",
        "transpose",
        "identity",
        "dropout",
        "crop",
        "channels",
        "maxpool",
        "avgpool",
        "gap",
        "gmp",
        "adaptive_avgpool",
        "upsample",
        "power",
        "mean",
        "sum",
    ]
)
