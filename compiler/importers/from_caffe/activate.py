"""Caffe's activations and element-wise functions."""

from __future__ import annotations

from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.connect import axis_of
from compiler.importers.from_caffe.network import Network, reads
from compiler.values import Tensor

SAME = {
    "Sigmoid": "sigmoid",
    "TanH": "tanh",
    "AbsVal": "abs",
    "BNLL": "softplus",
    "Swish": "silu",
    "ReLU6": "relu6",
    "SeLu": "selu",
}


@reads(*SAME)
def plain(network: Network) -> Tensor:
    """Those without parameters."""
    if network.layer.type == "Swish" and network.layer.parameters("swish").one("beta", 1) != 1:
        raise Refused("Swish with a beta")
    return network.add(SAME[network.layer.type], network.bottom())


@reads("ReLU")
def relu(network: Network) -> Tensor:
    """Leaky when it has a negative slope."""
    slope = single(float(network.layer.parameters("relu").one("negative_slope", 0)))
    if slope:
        return network.add("leaky_relu", network.bottom(), slope=slope)
    return network.add("relu", network.bottom())


@reads("PReLU")
def prelu(network: Network) -> Tensor:
    """A learned slope, for each channel unless shared."""
    shared = bool(network.layer.parameters("prelu").one("channel_shared", False))
    return network.add("prelu", network.bottom(), channelwise=not shared)


@reads("ELU")
def elu(network: Network) -> Tensor:
    """Exponential linear unit."""
    alpha = single(float(network.layer.parameters("elu").one("alpha", 1)))
    return network.add("elu", network.bottom(), alpha=alpha)


@reads("Power")
def power(network: Network) -> Tensor:
    """(shift + scale * x)^power."""
    x, fields = network.bottom(), network.layer.parameters("power")
    factor, offset, exponent = (
        single(float(fields.one(name, default)))
        for name, default in (("scale", 1), ("shift", 0), ("power", 1))
    )
    if factor != 1:
        x = network.add("scale", x, factor=factor)
    if offset != 0:
        x = network.add("shift", x, offset=offset)
    return network.add("power", x, exponent=exponent) if exponent != 1 else x


@reads("Exp", "Log")
def exponential(network: Network) -> Tensor:
    """e^(shift + scale * x), log(shift + scale * x)."""
    kind = network.layer.type.lower()
    x, fields = network.bottom(), network.layer.parameters(kind)
    if float(fields.one("base", -1)) != -1:
        raise Refused("its base is not e")
    factor, offset = (
        single(float(fields.one(name, default))) for name, default in (("scale", 1), ("shift", 0))
    )
    if factor != 1:
        x = network.add("scale", x, factor=factor)
    if offset != 0:
        x = network.add("shift", x, offset=offset)
    return network.add(kind, x)


@reads("Dropout")
def dropout(network: Network) -> Tensor:
    """Dropout, which acts in training only."""
    ratio = single(float(network.layer.parameters("dropout").one("dropout_ratio", 0.5)))
    return network.add("dropout", network.bottom(), p=ratio)


@reads("SigmoidCrossEntropyLoss")
def sigmoid_loss(network: Network) -> Tensor:
    """Of the loss the sigmoid that it computes before it compares."""
    network.builder.note("a SigmoidCrossEntropyLoss became the sigmoid in it, an output")
    return network.add("sigmoid", network.bottoms()[0])


@reads("Softmax", "SoftmaxWithLoss")
def softmax(network: Network) -> Tensor:
    """Softmax along the channels; of a loss what it computes before it compares."""
    if network.layer.type == "SoftmaxWithLoss":
        network.builder.note("a SoftmaxWithLoss became the softmax in it, an output of the network")
    x = network.bottoms()[0]
    axis = axis_of(network, int(network.layer.parameters("softmax").one("axis", 1)), x)
    return network.add("softmax", x, axis=axis)
