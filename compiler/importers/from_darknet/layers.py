"""What those sections of a Darknet cfg mean that compute from the layer before."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_darknet.activations import activated
from compiler.importers.from_darknet.cfg import Section
from compiler.importers.from_darknet.network import DarknetNetwork, reads
from compiler.importers.window_arguments import each, kernel, pooling_pad
from compiler.values import Tensor


def vector(network: DarknetNetwork, x: Tensor) -> Tensor:
    """The sample as a vector."""
    return x if len(x.shape) == 1 else network.add("flatten", x)


def finished(network: DarknetNetwork, x: Tensor, default: str) -> Tensor:
    """Batch normalisation where it is asked for, and the activation."""
    section = network.section
    if is_normalised(section):
        x = normalised(network, x)
    return activated(network, x, section.text("activation", default))


@reads("batchnorm")
def batchnorm(network: DarknetNetwork) -> Tensor:
    """Batch normalisation by itself."""
    return normalised(network, network.current())


def normalised(network: DarknetNetwork, x: Tensor) -> Tensor:
    """Batch normalisation with Darknet's epsilon."""
    network.builder.note(
        "Darknet adds 0.000001 to the deviation of a batch normalisation, `bn(eps=1e-6)` to the "
        "variance"
    )
    return network.add("bn", x, eps=1e-6)


@reads("convolutional", "deconvolutional")
def convolutional(network: DarknetNetwork) -> Tensor:
    """Convolution: `pad=1` means half of the size, `padding` a number of pixels."""
    x, section = network.current(), network.section
    size = section.whole("size", 1)
    pad = section.whole("padding", 0)
    if len(x.shape) != 3:
        raise Refused("its input is no map")
    if section.whole("pad", 0):
        network.builder.note("pad=1 means size//2 pixels on each side")
        pad = size // 2
    op = "conv" if section.name == "convolutional" else "deconv"
    arguments: dict[str, Any] = {"bias": not is_normalised(section)}
    if op == "conv":
        dilation = section.whole("dilation", 1)
        if size == 1:
            dilation = 1
        if dilation > 1:
            network.builder.note("the padding of a dilated convolution grows with its dilation")
        pad *= dilation
        arguments |= {"groups": section.whole("groups", 1), "dilation": dilation}
    if op == "conv" and section.given("share_index"):
        network.share_with(section.whole("share_index", 0))
        if is_normalised(section) and "bn" not in network.shared:
            raise Refused("it is normalised and the layer that it shares with is not")
    y = network.add(
        op,
        x,
        channels=section.whole("filters", 1),
        kernel=kernel((size, size)),
        stride=each(strides_of(section)) if op == "conv" else section.whole("stride", 1),
        pad=pad,
        **arguments,
    )
    return finished(network, y, "logistic")


def strides_of(section: Section) -> tuple[int, int]:
    """The stride along the height and the width."""
    stride = section.whole("stride", 1)
    return section.whole("stride_y", stride), section.whole("stride_x", stride)


def is_normalised(section: Section) -> bool:
    """Whether a layer has batch normalisation; `cbn` differs when it is trained only."""
    each, cross = section.whole("batch_normalize", 0), section.whole("cbn", 0)
    return bool(each or cross)


@reads("connected")
def connected(network: DarknetNetwork) -> Tensor:
    """A dense layer on the vector of all values."""
    units = network.section.whole("output", 1)
    biased = not is_normalised(network.section)
    y = network.add("dense", vector(network, network.current()), units=units, bias=biased)
    return finished(network, y, "logistic")


@reads("maxpool", "local_avgpool")
def pool(network: DarknetNetwork) -> Tensor:
    """Padded by size - 1 pixels in all or as `padding` says, the smaller half before."""
    x, section = network.current(), network.section
    strides = strides_of(section)
    size = section.whole("size", section.whole("stride", 1))
    if min(size, *strides) < 1 or len(x.shape) != 3:
        raise Refused(f"a window of {size} pixels, {strides[0]} and {strides[1]} apart")
    padding = section.whole("padding", size - 1)
    network.builder.note(
        f"a {section.name} is padded by size - 1 pixels in all, the smaller half before: written "
        "as the padding or `ceil=true` that does the same"
    )
    before = padding // 2
    pairs = []
    for extent, stride in zip(x.shape[1:], strides, strict=True):
        if isinstance(extent, Dim):
            raise Refused("its input has a symbolic size")
        count = (extent + padding - size) // stride + 1
        pairs.append((before, max((count - 1) * stride + size - extent - before, 0)))
    sizes = (size,) * len(pairs)
    facts = network.builder.graph.facts
    pad, ceil = pooling_pad(tuple(pairs), x.shape[1:], sizes, strides, (1,) * len(pairs), facts)
    arguments: dict[str, Any] = {"stride": each(strides)} if set(strides) != {size} else {}
    if section.name == "local_avgpool" and pad != 0:
        arguments["count_pad"] = False
    op = "maxpool" if section.name == "maxpool" else "avgpool"
    return network.add(op, x, kernel=kernel(sizes), pad=pad, ceil=ceil, **arguments)


@reads("avgpool")
def avgpool(network: DarknetNetwork) -> Tensor:
    """The mean of each whole map."""
    return network.add("gap", network.current())


@reads("dropout")
def dropout(network: DarknetNetwork) -> Tensor:
    """Dropout, which acts in training only."""
    return network.add(
        "dropout", network.current(), p=single(network.section.number("probability", 0.5))
    )


@reads("normalization")
def normalization(network: DarknetNetwork) -> Tensor:
    """Local response normalisation: Darknet does not divide alpha by the size."""
    section = network.section
    size = section.whole("size", 5)
    network.builder.note("alpha of a normalization is not divided by the size, in `lrn` it is")
    network.builder.note(
        f"Darknet's own code leaves channel {size // 2} out of every sum of a normalization of "
        f"{size}, `lrn` does not"
    )
    return network.add(
        "lrn",
        network.current(),
        size=size,
        alpha=single(section.number("alpha", 1e-4) * size),
        beta=single(section.number("beta", 0.75)),
        k=single(section.number("kappa", 1)),
    )


@reads("softmax")
def softmax(network: DarknetNetwork) -> Tensor:
    """Over all values of the sample."""
    x, section = network.current(), network.section
    if section.whole("groups", 1) != 1 or section.given("tree"):
        raise Refused("a softmax over groups of classes")
    temperature = section.number("temperature", 1)
    if temperature <= 0:
        raise Refused(f"its temperature is {temperature:g}")
    if section.number("spatial", 0) == 0 and any(size != 1 for size in x.shape[1:]):
        x = vector(network, x)
    if temperature != 1:
        x = network.add("scale", x, factor=single(1 / temperature))
    return network.add("softmax", x)


@reads("activation")
def activation(network: DarknetNetwork) -> Tensor:
    """An activation by itself."""
    return activated(network, network.current(), network.section.text("activation", "linear"))


@reads("logistic")
def logistic(network: DarknetNetwork) -> Tensor:
    """Of the loss the sigmoid that it computes before it compares."""
    return network.add("sigmoid", network.current())
