"""Caffe layers that connect, join and take apart."""

from __future__ import annotations

from itertools import pairwise

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.axes import axis_of, blob_axis
from compiler.importers.from_caffe.network import CaffeNetwork, reads
from compiler.importers.from_caffe.prototxt import ProtoMessage
from compiler.importers.from_caffe.windows import initial
from compiler.values import Tensor


def vector(network: CaffeNetwork, x: Tensor) -> Tensor:
    """The sample as a vector."""
    return x if len(x.shape) == 1 else network.add("flatten", x)


@reads("InnerProduct")
def inner_product(network: CaffeNetwork) -> Tensor:
    """A dense layer, which takes a map as the vector of its values."""
    x, fields = network.bottom(), network.layer.parameters("inner_product")
    if blob_axis(fields.one("axis", 1), x) != 1:
        raise Refused("it multiplies from another axis than the channels on")
    if not fields.all("num_output"):
        raise Refused("it has no num_output")
    if fields.one("transpose", False):
        network.builder.note("transpose=true of InnerProduct is a layout of its numbers only")
    return network.add(
        "dense",
        vector(network, x),
        units=fields.one("num_output"),
        bias=fields.one("bias_term", True),
        **initial(network, fields),
    )


def at_least(tensors: tuple[Tensor, ...], count: int) -> tuple[Tensor, ...]:
    """The inputs of a join; raises `Refused` when there are too few."""
    if len(tensors) < count:
        raise Refused(f"it takes {count} inputs or more, not {len(tensors)}")
    return tensors


@reads("Eltwise")
def eltwise(network: CaffeNetwork) -> Tensor:
    """Sums (weighted by coefficients), products, maxima."""
    fields = network.layer.parameters("eltwise")
    tensors = at_least(network.bottoms(), 2)
    if any(tensor.shape != tensors[0].shape for tensor in tensors):
        raise Refused("its inputs have different shapes")
    operation = fields.one("operation", "SUM")
    if operation in ("PROD", "MAX"):
        return network.add("mul" if operation == "PROD" else "max", *tensors)
    if operation != "SUM":
        raise Refused(f"it joins by {operation}")
    factors = fields.all("coeff") or [1.0] * len(tensors)
    if len(factors) != len(tensors):
        raise Refused(f"it has {len(factors)} coefficients for {len(tensors)} inputs")
    if factors == [1, -1]:
        return network.add("sub", *tensors)
    scaled = [
        x if factor == 1 else network.add("scale", x, factor=single(factor))
        for x, factor in zip(tensors, factors, strict=True)
    ]
    return network.add("add", *scaled)


@reads("Axpy")
def axpy(network: CaffeNetwork) -> Tensor:
    """a x + y: a factor for each channel of x, the gate of squeeze-and-excitation."""
    tensors = network.bottoms()
    if len(tensors) != 3:
        raise Refused(f"it takes three inputs, not {len(tensors)}")
    factor, x, y = tensors
    ones = [1] * (len(x.shape) - 1)
    if x.shape != y.shape or factor.shape[:1] != x.shape[:1]:
        raise Refused("its inputs have different shapes")
    if len(factor.shape) not in (1, len(x.shape)) or any(s != 1 for s in factor.shape[1:]):
        raise Refused("its first input is not one factor for each channel")
    if len(factor.shape) < len(x.shape):
        factor = network.add("reshape", factor, shape=[*factor.shape, *ones])
    return network.add("add", network.add("mul", x, factor), y)


def along(fields: ProtoMessage, old: str) -> int:
    """The axis of a join or a cut, under its name of today or an older one."""
    if fields.all("axis") and fields.all(old):
        raise Refused(f"it has axis and {old}")
    return int(fields.one("axis", fields.one(old, 1)))


@reads("Concat")
def concat(network: CaffeNetwork) -> Tensor:
    """One behind the other, along the channels by default."""
    tensors = at_least(network.bottoms(), 1)
    axis = axis_of(along(network.layer.parameters("concat"), "concat_dim"), tensors[0])
    if len(tensors) == 1:
        return tensors[0]
    return network.add("concat", *tensors, axis=axis)


@reads("Slice")
def slice_(network: CaffeNetwork) -> list[Tensor]:
    """Parts of an axis, equal ones or between given points."""
    x, fields = network.bottom(), network.layer.parameters("slice")
    axis = axis_of(along(fields, "slice_dim"), x)
    size, count = x.shape[axis], len(network.layer.tops)
    if isinstance(size, Dim):
        raise Refused("it cuts an axis of symbolic size")
    points = fields.all("slice_point")
    if not points:
        if not count or size % count:
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
def split(network: CaffeNetwork) -> list[Tensor]:
    """The same tensor under several names."""
    network.layer.parameters("split")
    return [network.bottom()] * len(network.layer.tops)


@reads("ShuffleChannel")
def shuffle_channel(network: CaffeNetwork) -> Tensor:
    """Channels dealt out anew, one of each group in turn."""
    groups = network.layer.parameters("shuffle_channel").one("group", 1)
    return network.add("channel_shuffle", network.bottom(), groups=groups)
