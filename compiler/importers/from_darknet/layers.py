"""What the sections of a Darknet cfg mean."""

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


@reads("route")
def route(network: Network) -> Tensor:
    """The channels of other layers one behind the other, or one group of them."""
    section = network.section
    tensors = [network.layer(index) for index in section.wholes("layers")]
    if not tensors:
        raise Refused("it names no layers")
    x = tensors[0] if len(tensors) == 1 else network.add("concat", *tensors)
    groups, group = section.whole("groups", 1), section.whole("group_id", 0)
    if groups == 1:
        return x
    channels = x.shape[0]
    if isinstance(channels, Dim) or channels % groups:
        raise Refused(f"its channels do not divide into {groups} groups")
    each = channels // groups
    return network.add("channels", x, first=group * each, last=(group + 1) * each - 1)


@reads("shortcut")
def shortcut(network: Network) -> Tensor:
    """Another layer added: where it is larger every nth pixel, where it is thinner what it has."""
    x, section = network.current(), network.section
    other = network.layer(section.whole("from", -1))
    if section.number("alpha", 1) != 1 or section.number("beta", 1) != 1:
        raise Refused("a weighted sum")
    if section.text("weights_type", "none") != "none":
        raise Refused("a sum with learned weights")
    added = network.add("add", x, fitted(network, other, x))
    return activated(network, added, section.text("activation", "linear"))


def fitted(network: Network, other: Tensor, x: Tensor) -> Tensor:
    """The part of another tensor that is added: pixels left out, channels cut or zeros."""
    sizes = [s for s in (*other.shape, *x.shape) if not isinstance(s, Dim)]
    if other.shape == x.shape or len(sizes) != 6:
        return other
    (c1, h1, w1), (c2, h2, w2) = sizes[:3], sizes[3:]
    if h1 < h2 or w1 < w2 or h1 // h2 != w1 // w2:
        raise Refused(f"it adds a map of {h1} x {w1} to one of {h2} x {w2}")
    network.builder.note(
        "a shortcut between maps of different sizes adds every nth pixel and the channels that "
        "both have"
    )
    if h1 != h2:
        other = network.add("maxpool", other, kernel=kernel((1, 1)), stride=h1 // h2)
    if c1 > c2:
        return network.add("channels", other, first=0, last=c2 - 1)
    return network.add("pad_channels", other, before=0, after=c2 - c1) if c1 < c2 else other


@reads("upsample")
def upsample(network: Network) -> Tensor:
    """Pixels repeated."""
    section = network.section
    stride = section.whole("stride", 2)
    if stride < 1:
        raise Refused("a negative stride shrinks the map by sums")
    y = network.add("upsample", network.current(), scale=stride)
    factor = section.number("scale", 1)
    return y if factor == 1 else network.add("scale", y, factor=single(factor))


@reads("reorg")
def reorg(network: Network) -> Tensor:
    """Pixels to channels in Darknet's own order.

    The memory of the map is read as one of C/s^2 channels, s times as high and wide; its s x s
    places are dealt out to channels, places first; and the result is read as the smaller map.
    """
    x, section = network.current(), network.section
    s = section.whole("stride", 1)
    if section.whole("reverse", 0) or section.whole("flatten", 0) or section.whole("extra", 0):
        raise Refused("a reorg in reverse, or to a vector")
    c, h, w = (size for size in x.shape if not isinstance(size, Dim))
    if c % (s * s) or h % s or w % s:
        raise Refused(f"its map [{c}, {h}, {w}] does not divide by its stride {s}")
    network.builder.note("a reorg keeps Darknet's own order of the values")
    wide = network.add("reshape", x, shape=[c // (s * s), h * s, w * s])
    places = network.add("pixel_unshuffle", wide, r=s)
    dealt = network.add("channel_shuffle", places, groups=c // (s * s))
    return network.add("reshape", dealt, shape=[c * s * s, h // s, w // s])


@reads("crop")
def crop(network: Network) -> Tensor:
    """The centre of the picture, values from 0..1 to -1..1."""
    section = network.section
    h, w = section.whole("crop_height", 1), section.whole("crop_width", 1)
    network.builder.note("a crop takes the centre, as when tested, and brings 0..1 to -1..1")
    y = network.add("crop", network.current(), h=h, w=w)
    if section.whole("noadjust", 0):
        return y
    return network.add("shift", network.add("scale", y, factor=2), offset=-1)


@reads("activation")
def activation(network: Network) -> Tensor:
    """An activation by itself."""
    return activated(network, network.current(), network.section.text("activation", "linear"))


@reads("logistic")
def logistic(network: Network) -> Tensor:
    """Of the loss the sigmoid that it computes before it compares."""
    return network.add("sigmoid", network.current())


@reads("scale_channels")
def scale_channels(network: Network) -> Tensor:
    """Another layer's map scaled by this vector of factors."""
    other = network.layer(network.section.whole("from", -1))
    gated = network.add("mul", other, network.current())
    return activated(network, gated, network.section.text("activation", "linear"))
