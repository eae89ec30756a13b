"""What those sections of a Darknet cfg mean that compute from the layer before."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_darknet.activations import activated
from compiler.importers.from_darknet.network import Network, reads
from compiler.importers.window_arguments import kernel, pooling_pad
from compiler.values import Tensor


def vector(network: Network, x: Tensor) -> Tensor:
    """The sample as a vector."""
    return x if len(x.shape) == 1 else network.add("flatten", x)


def finished(network: Network, x: Tensor, default: str) -> Tensor:
    """Batch normalisation where it is asked for, and the activation."""
    section = network.section
    if section.whole("batch_normalize", 0):
        x = normalised(network, x)
    return activated(network, x, section.text("activation", default))


@reads("batchnorm")
def batchnorm(network: Network) -> Tensor:
    """Batch normalisation by itself."""
    return normalised(network, network.current())


def normalised(network: Network, x: Tensor) -> Tensor:
    """Batch normalisation with Darknet's epsilon."""
    network.builder.note(
        "Darknet adds 0.000001 to the deviation of a batch normalisation, `bn(eps=1e-6)` to the "
        "variance"
    )
    return network.add("bn", x, eps=1e-6)


@reads("convolutional", "deconvolutional")
def convolutional(network: Network) -> Tensor:
    """Convolution: `pad=1` means half of the size, `padding` a number of pixels."""
    x, section = network.current(), network.section
    if section.whole("binary", 0) or section.whole("xnor", 0):
        raise Refused("its weights are binary")
    size = section.whole("size", 1)
    pad = section.whole("padding", 0)
    if section.whole("pad", 0):
        network.builder.note("pad=1 means size//2 pixels on each side")
        pad = size // 2
    op = "conv" if section.name == "convolutional" else "deconv"
    arguments: dict[str, Any] = {"bias": not section.whole("batch_normalize", 0)}
    if op == "conv":
        arguments["groups"] = section.whole("groups", 1)
        arguments["dilation"] = section.whole("dilation", 1)
    y = network.add(
        op,
        x,
        channels=section.whole("filters", 1),
        kernel=kernel((size, size)),
        stride=section.whole("stride", 1),
        pad=pad,
        **arguments,
    )
    return finished(network, y, "logistic")


@reads("connected")
def connected(network: Network) -> Tensor:
    """A dense layer on the vector of all values."""
    units = network.section.whole("output", 1)
    biased = not network.section.whole("batch_normalize", 0)
    y = network.add("dense", vector(network, network.current()), units=units, bias=biased)
    return finished(network, y, "logistic")


@reads("maxpool")
def maxpool(network: Network) -> Tensor:
    """Padded by size - 1 pixels in all or as `padding` says, the smaller half before."""
    x, section = network.current(), network.section
    stride = section.whole("stride", 1)
    size = section.whole("size", stride)
    padding = section.whole("padding", size - 1)
    network.builder.note(
        "a maxpool is padded by size - 1 pixels in all, the smaller half before: written as the "
        "padding or `ceil=true` that does the same"
    )
    before = padding // 2
    pairs = []
    for extent in x.shape[1:]:
        if isinstance(extent, Dim):
            raise Refused("its input has a symbolic size")
        count = (extent + padding - size) // stride + 1
        pairs.append((before, max((count - 1) * stride + size - extent - before, 0)))
    sizes, strides = (size,) * len(pairs), (stride,) * len(pairs)
    facts = network.builder.graph.facts
    pad, ceil = pooling_pad(tuple(pairs), x.shape[1:], sizes, strides, (1,) * len(pairs), facts)
    arguments: dict[str, Any] = {"stride": stride} if stride != size else {}
    return network.add("maxpool", x, kernel=kernel(sizes), pad=pad, ceil=ceil, **arguments)


@reads("avgpool")
def avgpool(network: Network) -> Tensor:
    """The mean of each whole map."""
    return network.add("gap", network.current())


@reads("dropout")
def dropout(network: Network) -> Tensor:
    """Dropout, which acts in training only."""
    return network.add(
        "dropout", network.current(), p=single(network.section.number("probability", 0.5))
    )


@reads("normalization")
def normalization(network: Network) -> Tensor:
    """Local response normalisation: Darknet does not divide alpha by the size."""
    section = network.section
    size = section.whole("size", 5)
    network.builder.note("alpha of a normalization is not divided by the size, in `lrn` it is")
    return network.add(
        "lrn",
        network.current(),
        size=size,
        alpha=single(section.number("alpha", 1e-4) * size),
        beta=single(section.number("beta", 0.75)),
        k=single(section.number("kappa", 1)),
    )


@reads("softmax")
def softmax(network: Network) -> Tensor:
    """Over all values of the sample."""
    x, section = network.current(), network.section
    if section.whole("groups", 1) != 1 or section.text("tree"):
        raise Refused("a softmax over groups of classes")
    temperature = section.number("temperature", 1)
    if section.whole("spatial", 0) == 0 and any(size != 1 for size in x.shape[1:]):
        x = vector(network, x)
    if temperature != 1:
        x = network.add("scale", x, factor=single(1 / temperature))
    return network.add("softmax", x)


@reads("activation")
def activation(network: Network) -> Tensor:
    """An activation by itself."""
    return activated(network, network.current(), network.section.text("activation", "linear"))


@reads("logistic")
def logistic(network: Network) -> Tensor:
    """Of the loss the sigmoid that it computes before it compares."""
    return network.add("sigmoid", network.current())
