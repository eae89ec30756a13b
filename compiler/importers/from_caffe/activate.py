"""Caffe's activations and element-wise functions."""

from __future__ import annotations

from math import inf, log

from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.axes import axis_of
from compiler.importers.from_caffe.network import CaffeNetwork, reads
from compiler.importers.from_caffe.prototxt import ProtoMessage
from compiler.values import Tensor

SAME = {
    "Sigmoid": "sigmoid",
    "TanH": "tanh",
    "AbsVal": "abs",
    "BNLL": "softplus",
    "ReLU6": "relu6",
    "SeLu": "selu",
}


@reads(*SAME)
def plain(network: CaffeNetwork) -> Tensor:
    """Those without parameters but which code to run."""
    network.layer.parameters(network.layer.type.lower())
    return network.add(SAME[network.layer.type], network.bottom())


@reads("Swish")
def swish(network: CaffeNetwork) -> Tensor:
    """x * sigmoid(beta x)."""
    x, beta = network.bottom(), single(network.layer.parameters("swish").one("beta", 1.0))
    if beta == 1:
        return network.add("silu", x)
    scaled = network.add("scale", x, factor=beta)
    return network.add("mul", x, network.add("sigmoid", scaled))


@reads("ReLU")
def relu(network: CaffeNetwork) -> Tensor:
    """Leaky when it has a negative slope."""
    slope = single(network.layer.parameters("relu").one("negative_slope", 0.0))
    if slope:
        return network.add("leaky_relu", network.bottom(), slope=slope)
    return network.add("relu", network.bottom())


@reads("PReLU")
def prelu(network: CaffeNetwork) -> Tensor:
    """A learned slope, for each channel unless shared."""
    shared = network.layer.parameters("prelu").one("channel_shared", False)
    return network.add("prelu", network.bottom(), channelwise=not shared)


@reads("ELU")
def elu(network: CaffeNetwork) -> Tensor:
    """Exponential linear unit."""
    fields = network.layer.parameters("elu")
    return network.add("elu", network.bottom(), alpha=single(fields.one("alpha", 1.0)))


@reads("Power")
def power(network: CaffeNetwork) -> Tensor:
    """(shift + scale * x)^power."""
    fields = network.layer.parameters("power")
    x, exponent = shifted(network, fields, network.bottom()), single(fields.one("power", 1.0))
    return network.add("power", x, exponent=exponent) if exponent != 1 else x


def shifted(network: CaffeNetwork, fields: ProtoMessage, x: Tensor, base: float = 1) -> Tensor:
    """base * (shift + scale * x)."""
    factor = single(base * fields.one("scale", 1.0))
    offset = single(base * fields.one("shift", 0.0))
    if factor != 1:
        x = network.add("scale", x, factor=factor)
    return network.add("shift", x, offset=offset) if offset != 0 else x


def natural(fields: ProtoMessage) -> float:
    """The natural logarithm of the base, which is e unless said; raises `Refused`."""
    base = fields.one("base", -1.0)
    if base == -1:
        return 1.0
    if not 0 < base < inf or base == 1:
        raise Refused(f"its base {base:g} is no base")
    return log(base)


@reads("Exp")
def exponential(network: CaffeNetwork) -> Tensor:
    """base^(shift + scale * x)."""
    fields = network.layer.parameters("exp")
    return network.add("exp", shifted(network, fields, network.bottom(), natural(fields)))


@reads("Log")
def logarithm(network: CaffeNetwork) -> Tensor:
    """The logarithm of shift + scale * x to a base."""
    fields = network.layer.parameters("log")
    y = network.add("log", shifted(network, fields, network.bottom()))
    divisor = natural(fields)
    return y if divisor == 1 else network.add("scale", y, factor=single(1 / divisor))


@reads("Dropout")
def dropout(network: CaffeNetwork) -> Tensor:
    """Dropout, which acts in training only."""
    ratio = single(network.layer.parameters("dropout").one("dropout_ratio", 0.5))
    return network.add("dropout", network.bottom(), p=ratio)


@reads("SigmoidCrossEntropyLoss")
def sigmoid_loss(network: CaffeNetwork) -> Tensor:
    """Of the loss the sigmoid that it computes before it compares."""
    network.builder.note("a SigmoidCrossEntropyLoss became the sigmoid in it, an output")
    return network.add("sigmoid", network.result())


@reads("Softmax")
def softmax(network: CaffeNetwork) -> Tensor:
    """Softmax along the channels unless an axis is said."""
    x = network.bottom()
    axis = axis_of(network.layer.parameters("softmax").one("axis", 1), x)
    return network.add("softmax", x, axis=axis)


@reads("SoftmaxWithLoss")
def softmax_loss(network: CaffeNetwork) -> Tensor:
    """Of the loss what it computes before it compares."""
    network.builder.note("a SoftmaxWithLoss became the softmax in it, an output of the network")
    x = network.result()
    axis = axis_of(network.layer.parameters("softmax").one("axis", 1), x)
    return network.add("softmax", x, axis=axis)
