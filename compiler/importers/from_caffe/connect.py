"""Caffe layers that connect, normalise by batch, and change shapes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from compiler.dims import Dim, Size, product
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.network import Network, reads
from compiler.importers.from_caffe.windows import initial
from compiler.values import Tensor


def axis_of(network: Network, axis: int, x: Tensor) -> int:
    """An axis of the blob as one of the sample."""
    found = axis % (len(x.shape) + 1) - 1
    if found < 0:
        raise Refused("it acts along the batch")
    return found


def vector(network: Network, x: Tensor) -> Tensor:
    """The sample as a vector."""
    return x if len(x.shape) == 1 else network.add("flatten", x)


@reads("InnerProduct")
def inner_product(network: Network) -> Tensor:
    """A dense layer, which takes a map as the vector of its values."""
    fields = network.layer.parameters("inner_product")
    if fields.one("axis", 1) != 1:
        raise Refused("it multiplies from another axis than the channels on")
    if fields.one("transpose", False):
        network.builder.note("transpose=true of InnerProduct is a layout of its numbers only")
    return network.add(
        "dense",
        vector(network, network.bottom()),
        units=int(fields.one("num_output", 0)),
        bias=bool(fields.one("bias_term", True)),
        **initial(network, fields),
    )


@reads("BatchNorm")
def batch_norm(network: Network) -> Tensor:
    """Batch normalisation; a Scale behind it holds its factor and offset."""
    fields = network.layer.parameters("batch_norm")
    network.builder.note("BatchNorm and the Scale behind it are one `bn`, called as the BatchNorm")
    return network.add("bn", network.bottom(), eps=single(float(fields.one("eps", 1e-5))))


@reads("Scale")
def scale(network: Network) -> Tensor:
    """Behind a BatchNorm nothing is left to do; else a factor for each channel."""
    tensors, fields = network.bottoms(), network.layer.parameters("scale")
    x = tensors[0]
    if len(tensors) == 2:
        return gate(network, x, tensors[1], int(fields.one("axis", 1)))
    if fields.one("axis", 1) != 1 or fields.one("num_axes", 1) != 1:
        raise Refused("its factors are not one for each channel")
    assert x.node is not None
    if network.builder.graph[x.node].op.name == "bn":
        return x
    if len(x.shape) < 2 or isinstance(x.shape[0], Dim):
        raise Refused("a learned factor for each number of a vector")
    network.builder.note("a Scale without BatchNorm is a 1x1 convolution of each channel by itself")
    ones = (1,) * (len(x.shape) - 1)
    return network.add(
        "conv",
        x,
        channels=x.shape[0],
        kernel=list(ones) if len(ones) > 1 else 1,
        groups=x.shape[0],
        bias=bool(fields.one("bias_term", False)),
    )


def gate(network: Network, x: Tensor, factor: Tensor, axis: int) -> Tensor:
    """One tensor scaled by another that begins at the batch or the channels."""
    if axis == 0 and len(factor.shape) < len(x.shape):
        ones = [1] * (len(x.shape) - len(factor.shape))
        factor = network.add("reshape", factor, shape=[*factor.shape, *ones])
    if len(factor.shape) != len(x.shape):
        raise Refused("its two inputs have different ranks")
    return network.add("mul", x, factor)


@reads("Eltwise")
def eltwise(network: Network) -> Tensor:
    """Sums (weighted by coefficients), products, maxima."""
    tensors, fields = network.bottoms(), network.layer.parameters("eltwise")
    operation = str(fields.one("operation", "SUM"))
    if operation in ("PROD", "0"):
        return network.add("mul", *tensors)
    if operation in ("MAX", "2"):
        return network.add("max", *tensors)
    factors = [float(c) for c in fields.all("coeff")] or [1.0] * len(tensors)
    if len(factors) != len(tensors):
        raise Refused(f"it has {len(factors)} coefficients for {len(tensors)} inputs")
    if factors == [1, -1]:
        return network.add("sub", *tensors)
    scaled = [
        x if factor == 1 else network.add("scale", x, factor=single(factor))
        for x, factor in zip(tensors, factors, strict=True)
    ]
    return network.add("add", *scaled)


@reads("Concat")
def concat(network: Network) -> Tensor:
    """One behind the other, along the channels by default."""
    tensors, fields = network.bottoms(), network.layer.parameters("concat")
    axis = int(fields.one("axis", fields.one("concat_dim", 1)))
    if len(tensors) == 1:
        return tensors[0]
    return network.add("concat", *tensors, axis=axis_of(network, axis, tensors[0]))


@reads("Slice")
def slice_(network: Network) -> list[Tensor]:
    """Parts of an axis, equal ones or between given points."""
    x, fields = network.bottom(), network.layer.parameters("slice")
    axis = axis_of(network, int(fields.one("axis", fields.one("slice_dim", 1))), x)
    size, count = x.shape[axis], len(network.layer.tops)
    if isinstance(size, Dim):
        raise Refused("it cuts an axis of symbolic size")
    points = [int(p) for p in fields.all("slice_point")]
    if not points:
        if size % count:
            raise Refused(f"{size} does not divide into {count} equal parts")
        points = [size // count * i for i in range(1, count)]
    bounds = [0, *points, size]
    if len(bounds) != count + 1 or any(a >= b for a, b in pairwise(bounds)):
        raise Refused("its slice_point do not fit its outputs")
    return [
        network.add("channels", x, first=a, last=b - 1)
        if axis == 0
        else network.add("slice", x, first=a, last=b - 1, axis=axis)
        for a, b in pairwise(bounds)
    ]


@reads("Split")
def split(network: Network) -> list[Tensor]:
    """The same tensor under several names."""
    return [network.bottom()] * len(network.layer.tops)


@reads("Flatten")
def flatten(network: Network) -> Tensor:
    """The sample as a vector."""
    fields = network.layer.parameters("flatten")
    if fields.one("axis", 1) != 1 or fields.one("end_axis", -1) != -1:
        raise Refused("it flattens some of the axes only")
    return vector(network, network.bottom())


@reads("Reshape")
def reshape(network: Network) -> Tensor:
    """Another shape, 0 keeping a size and -1 taking what is left over."""
    x, fields = network.bottom(), network.layer.parameters("reshape")
    dims = [int(d) for d in fields.message("shape").all("dim")]
    if fields.one("axis", 0) != 0 or fields.one("num_axes", -1) != -1 or not dims:
        raise Refused("it reshapes some of the axes only")
    if dims[0] not in (0, -1):
        raise Refused("it changes the batch")
    full: list[Size] = [0, *x.shape]
    sizes = [full[i] if d == 0 and i < len(full) else d for i, d in enumerate(dims)][1:]
    if dims[0] == -1 and -1 in sizes:
        raise Refused("it leaves two sizes open")
    if len(sizes) == 1 and sizes[0] in (-1, product(x.shape)):
        return vector(network, x)
    return network.add("reshape", x, shape=sizes)


@reads("Permute")
def permute(network: Network) -> Tensor:
    """The axes of a sample in another order."""
    order = [int(o) for o in network.layer.parameters("permute").all("order")]
    if not order or order[0] != 0:
        raise Refused("it moves the batch")
    return network.add("transpose", network.bottom(), order=[o - 1 for o in order[1:]])


@reads("Crop")
def crop(network: Network) -> Tensor:
    """A map cut to the height and width of another."""
    (x, like), fields = network.bottoms(), network.layer.parameters("crop")
    if int(fields.one("axis", 2)) != 2 or len(x.shape) != 3:
        raise Refused("it crops other axes than height and width")
    offsets = [int(o) for o in fields.all("offset")] or [0]
    top, left = offsets * 2 if len(offsets) == 1 else offsets
    arguments: dict[str, Any] = {"h": like.shape[1], "w": like.shape[2], "top": top, "left": left}
    return network.add("crop", x, **arguments)
