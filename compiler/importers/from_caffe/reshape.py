"""Caffe layers that change the shape of a sample, its order, or its extent."""

from __future__ import annotations

from math import prod
from typing import Any

from compiler.dims import Size
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.axes import axis_of, blob_axis
from compiler.importers.from_caffe.connect import vector
from compiler.importers.from_caffe.network import CaffeNetwork, reads
from compiler.values import Tensor


@reads("Flatten")
def flatten(network: CaffeNetwork) -> Tensor:
    """Some of the axes as one, by default all of the sample."""
    x, fields = network.bottom(), network.layer.parameters("flatten")
    first = axis_of(fields.one("axis", 1), x)
    last = axis_of(fields.one("end_axis", -1), x)
    if last < first:
        raise Refused("its end_axis is before its axis")
    sizes = x.shape[first : last + 1]
    if len(sizes) == len(x.shape):
        return vector(network, x)
    if len(sizes) == 1:
        return x
    merged = [*x.shape[:first], prod(sizes), *x.shape[last + 1 :]]
    return network.add("reshape", x, shape=merged)


@reads("Reshape")
def reshape(network: CaffeNetwork) -> Tensor:
    """Another shape from an axis on: 0 keeps a size and -1 takes what is left over."""
    x, fields = network.bottom(), network.layer.parameters("reshape")
    shape = fields.message("shape")
    wanted: list[Size] = list(shape.all("dim"))
    rank, count = len(x.shape) + 1, fields.one("num_axes", -1)
    # A negative axis counts the places between axes: -1 is behind the last.
    axis = fields.one("axis", 0)
    first = axis if axis >= 0 else rank + 1 + axis
    last = rank if count == -1 else first + count
    if not (0 <= first <= rank and first <= last <= rank) or not wanted or count < -1:
        raise Refused("its axis, num_axes and shape do not fit its input")
    batch = network.batch()
    full: list[Size] = [0, *x.shape]  # 0 for the batch
    for place, size in enumerate(wanted):
        if size == 0 and first + place >= rank:
            raise Refused(f"it keeps a size that its input does not have, that of axis {place}")
        if size == 0:
            wanted[place] = full[first + place] if first + place else 0
    sizes = [*full[:first], *wanted, *full[last:]]
    head, rest = sizes[0], sizes[1:]
    if rest.count(-1) > 1 or (head == -1 and -1 in rest):
        raise Refused("it leaves two sizes open")
    if head not in (0, -1) and (batch is None or head != batch):
        raise Refused("it changes the batch")
    if first == 0 and head == batch and head != 0:
        network.builder.note(f"a Reshape to a batch of {batch} keeps the batch, whatever it is")
    if 0 in rest:
        raise Refused("it moves the batch")
    if rest == list(x.shape):
        return x
    if len(rest) == 1 and rest[0] in (-1, prod(x.shape)):
        return vector(network, x)
    return network.add("reshape", x, shape=rest)


@reads("Permute")
def permute(network: CaffeNetwork) -> Tensor:
    """The axes of a sample in another order, those that are not named behind."""
    x, order = network.bottom(), network.layer.parameters("permute").all("order")
    rank = len(x.shape) + 1
    if any(axis >= rank for axis in order) or len(set(order)) != len(order):
        raise Refused(f"its order {order} does not name axes of a blob of {rank}")
    order += [axis for axis in range(rank) if axis not in order]
    if order[0] != 0:
        raise Refused("it moves the batch")
    if order == [*range(rank)]:
        return x
    return network.add("transpose", x, order=[axis - 1 for axis in order[1:]])


@reads("Crop")
def crop(network: CaffeNetwork) -> Tensor:
    """A map cut to the height and width of another."""
    tensors, fields = network.bottoms(), network.layer.parameters("crop")
    if len(tensors) != 2:
        raise Refused(f"it takes two inputs, not {len(tensors)}")
    x, like = tensors
    if blob_axis(fields.one("axis", 2), x) != 2 or len(x.shape) != 3 or len(like.shape) != 3:
        raise Refused("it crops other axes than height and width")
    offsets = fields.all("offset") or [0]
    if len(offsets) > 2:
        raise Refused(f"it has {len(offsets)} offsets for two axes")
    top, left = offsets * 2 if len(offsets) == 1 else offsets
    arguments: dict[str, Any] = {"h": like.shape[1], "w": like.shape[2], "top": top, "left": left}
    return network.add("crop", x, **arguments)


@reads("Upsample")
def upsample(network: CaffeNetwork) -> Tensor:
    """Pixels repeated; SegNet's takes the places of a pooling's largest values besides."""
    fields = network.layer.parameters("upsample")
    if len(network.layer.bottoms) == 2:
        raise Refused("it puts values back to the places that a pooling took them from")
    if not fields.all("scale"):
        raise Refused("it has no scale")
    return network.add("upsample", network.bottom(), scale=fields.one("scale"))
