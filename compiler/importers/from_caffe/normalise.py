"""Caffe layers that normalise: by statistics, among neighbours, by length; and learned scales."""

from __future__ import annotations

from math import prod
from typing import Any

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.axes import axis_of, blob_axis
from compiler.importers.from_caffe.layer import CaffeLayer
from compiler.importers.from_caffe.network import CaffeNetwork, reads
from compiler.importers.from_caffe.prototxt import ProtoMessage
from compiler.importers.from_caffe.windows import filled
from compiler.importers.window_arguments import kernel
from compiler.values import Tensor

BY_BATCH = "it normalises by the statistics of the batch, when tested too"


@reads("BatchNorm")
def batch_norm(network: CaffeNetwork) -> Tensor:
    """Batch normalisation; a Scale that alone reads it holds its factor and offset."""
    layer, fields = network.layer, network.layer.parameters("batch_norm")
    if not fields.one("use_global_stats", True):
        raise Refused(BY_BATCH, "leave use_global_stats out, or say true, to use the running ones")
    own = fields.one("scale_bias", False)  # of NVIDIA's Caffe
    scale = network.plan.only_reader(layer)
    names = layer.named(5 if own else 3)
    if not own and scale is not None and completes(scale, len(network.bottom().shape)):
        network.joined.add(id(scale))
        names += scale.named(2)
        network.builder.note(
            "BatchNorm and the Scale behind it are one `bn`, called as the BatchNorm"
        )
    return network.add(
        "bn",
        network.bottom(),
        names=names,
        eps=single(fields.one("eps", 1e-5)),
        affine=own or len(names) == 5,
    )


def completes(scale: CaffeLayer, rank: int) -> bool:
    """Whether a layer is the factor and offset of each channel that a batch norm may have.

    `rank` is that of the blob without the batch.
    """
    if scale.type != "Scale" or len(scale.bottoms) != 1:
        return False
    fields = scale.parameters("scale")
    each = (1,) if rank > 1 else (1, -1)
    at_channels = fields.one("axis", 1) in (1, -rank) and fields.one("num_axes", 1) in each
    return at_channels and bool(fields.one("bias_term", False))


@reads("BN")
def bn(network: CaffeNetwork) -> Tensor:
    """Batch normalisation of forks: PSPNet's with four blobs, SegNet's factor and offset."""
    layer, fields = network.layer, network.layer.parameters("bn")
    given = {field.name for field in fields.fields}
    blobs = len(layer.fields.all("param"))
    mode = fields.one("bn_mode")
    if mode or given & {"scale_filler", "shift_filler"} or (not given and blobs == 2):
        if mode != "INFERENCE":
            raise Refused(BY_BATCH, "SegNet's scripts write files with bn_mode: INFERENCE")
        network.builder.note("SegNet's BN, when tested, is a factor and an offset for each channel")
        return channelwise(network, network.bottom(), bias=True)
    if not given and blobs != 4:
        raise Refused(
            "forks of Caffe have two layers BN, and nothing in it says which",
            "slope_filler or frozen in its bn_param says PSPNet's, bn_mode SegNet's",
        )
    network.builder.note("PSPNet's BN, with four blobs, is `bn`")
    eps = single(fields.one("eps", 1e-5))
    return network.add("bn", network.bottom(), names=layer.named(4), eps=eps)


@reads("Scale")
def scale(network: CaffeNetwork) -> Tensor:
    """A factor and perhaps an offset for each channel, unless the batch norm before has them."""
    fields = network.layer.parameters("scale")
    if len(network.layer.bottoms) == 2:
        return gate(network, fields)
    x = network.bottom()
    rank = len(x.shape)
    axis, count = axis_of(fields.one("axis", 1), x), fields.one("num_axes", 1)
    bias = fields.one("bias_term", False)
    if id(network.layer) in network.joined:
        return x
    if axis != 0 or count not in (1, -1) or (count == -1 and rank > 1):
        raise Refused("its factors are not one for each channel")
    network.builder.note("a Scale without BatchNorm is a 1x1 convolution of each channel by itself")
    return channelwise(network, x, bias=bias)


def channelwise(network: CaffeNetwork, x: Tensor, *, bias: bool, init: str = "") -> Tensor:
    """A learned factor for each channel, and an offset: a convolution of one pixel."""
    channels = x.shape[0]
    if isinstance(channels, Dim):
        raise Refused("a learned factor for each of an open number of channels")
    arguments: dict[str, Any] = {"init": init} if init else {}
    is_vector = len(x.shape) == 1
    if is_vector:
        x = network.add("reshape", x, shape=[channels, 1])
    y = network.add(
        "conv",
        x,
        channels=channels,
        kernel=kernel((1,) * (len(x.shape) - 1)),
        groups=channels,
        bias=bias,
        **arguments,
    )
    return network.add("flatten", y) if is_vector else y


def gate(network: CaffeNetwork, fields: ProtoMessage) -> Tensor:
    """One tensor scaled by another, whose axes are the first's from `axis` on."""
    x, factor = network.bottoms()
    if fields.one("bias_term", False):
        raise Refused("it learns an offset for each value of its second input, batch and all")
    if blob_axis(fields.one("axis", 1), x) != 0:
        raise Refused("Caffe would take the batch of its second input for channels")
    if factor.shape != x.shape[: len(factor.shape)]:
        raise Refused("the shape of its second input is not that of the first's leading axes")
    if len(factor.shape) < len(x.shape):
        ones = [1] * (len(x.shape) - len(factor.shape))
        factor = network.add("reshape", factor, shape=[*factor.shape, *ones])
    return network.add("mul", x, factor)


@reads("Normalize")
def normalize(network: CaffeNetwork) -> Tensor:
    """SSD's: each pixel's channels, or the whole sample, divided by their length, times a factor.

    x / sqrt(sum of squares + eps) * scale.
    """
    x, fields = network.bottom(), network.layer.parameters("norm")
    channels = x.shape[0]
    if len(x.shape) != 3 or isinstance(channels, Dim):
        raise Refused("its input is no map of height and width")
    if fields.one("channel_shared", True):
        raise Refused("it learns one factor for all channels")
    eps, whole = single(fields.one("eps", 1e-10)), fields.one("across_spatial", True)
    init = filled(network, fields.message("scale_filler")) or "constant(1)"
    network.builder.note("a Normalize is written out: there is no layer for it")
    pixels = prod(x.shape[1:])
    squares = network.add("reshape", network.add("mul", x, x), shape=[1, channels, pixels])
    if whole:
        count, mean = prod((channels, pixels)), network.add("gap", squares)
    else:
        columns = network.add("avgpool", squares, kernel=kernel((channels, 1)))
        count, mean = channels, network.add("reshape", columns, shape=[1, *x.shape[1:]])
    if isinstance(count, Dim):
        raise Refused("it divides by the length of a map of open size")
    total = network.add("shift", network.add("scale", mean, factor=count), offset=eps)
    divided = network.add("mul", x, network.add("power", total, exponent=-0.5))
    return channelwise(network, divided, bias=False, init=init)


def normalised_within(network: CaffeNetwork, fields: ProtoMessage) -> Tensor:
    """x (1 + alpha mean(x^2))^-beta, the mean over a window of its channel, its padding counted."""
    x, size = network.bottom(), fields.one("local_size", 5)
    rank = len(x.shape) - 1
    if size % 2 == 0 or rank < 1:
        raise Refused("it normalises within each channel by a window without a middle")
    network.builder.note("an LRN within channels is written out: there is no layer for it")
    means = network.add(
        "avgpool",
        network.add("mul", x, x),
        kernel=kernel((size,) * rank),
        stride=1,
        pad=size // 2,
    )
    scaled = network.add("scale", means, factor=single(fields.one("alpha", 1.0)))
    factor = network.add(
        "power",
        network.add("shift", scaled, offset=1),
        exponent=-single(fields.one("beta", 0.75)),
    )
    return network.add("mul", x, factor)


@reads("LRN")
def local_response_norm(network: CaffeNetwork) -> Tensor:
    """Across channels, alpha divided by the size there as here; within them it is written out."""
    fields = network.layer.parameters("lrn")
    if fields.one("norm_region", "ACROSS_CHANNELS") != "ACROSS_CHANNELS":
        if fields.one("k", 1.0) != 1:
            raise Refused("it has a k, which Caffe does not use within channels")
        return normalised_within(network, fields)
    network.builder.note("alpha of LRN is divided by the size, in Caffe as in `lrn`")
    return network.add(
        "lrn",
        network.bottom(),
        size=fields.one("local_size", 5),
        alpha=single(fields.one("alpha", 1.0)),
        beta=single(fields.one("beta", 0.75)),
        k=single(fields.one("k", 1.0)),
    )
