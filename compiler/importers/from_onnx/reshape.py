"""ONNX operators that give the same values another shape or order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from compiler.dims import Size, SymbolicError
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import BATCH, Reading, all_counted, converts, counted
from compiler.ops.base import Shape
from compiler.values import Tensor


def to_shape(reading: Reading, x: Tensor, shape: Shape) -> Tensor:
    """The sample in another shape: nothing to do, `flatten`, or `reshape`.

    To one number without an axis it is the sum of that number.
    """
    if shape == x.shape:
        return x
    if not shape:
        return reading.add("reduce_sum", x)
    if len(shape) == 1 and reading.builder.graph.facts.equal(shape[0], prod(x.shape)):
        return reading.add("flatten", x)
    return reading.add("reshape", x, shape=list(shape))


@converts("Flatten")
def flatten(reading: Reading) -> Tensor:
    """Two axes: what is before `axis`, and the rest."""
    x = reading.tensor(0)
    rank = len(x.shape) + reading.batch
    axis = flattened_from(int(reading.get("axis", 1)), rank)
    if reading.batch:
        if axis != 1:
            raise Refused(f"axis={axis} would mix the batch with the sample")
        return to_shape(reading, x, (prod(x.shape),))
    return to_shape(reading, x, (prod(x.shape[:axis]), prod(x.shape[axis:])))


def flattened_from(axis: int, rank: int) -> int:
    """The first axis of those that `Flatten` puts behind; all may be before it."""
    return axis if axis == rank else counted(axis, rank)


@converts("Reshape")
def reshape(reading: Reading) -> Tensor:
    """A new shape, 0 keeping a size and -1 taking what is left over; the batch must stay."""
    x = reading.tensor(0)
    wanted = list(reading.get("shape") or reading.sizes(1))
    if not reading.get("allowzero", 0):
        full: list[Size] = [*([BATCH] * reading.batch), *x.shape]
        wanted = [full[i] if s == 0 and i < len(full) else s for i, s in enumerate(wanted)]
    check_values(wanted)
    return to_shape(reading, x, sample_shape(reading, x, wanted))


def check_values(wanted: Sequence[Size]) -> None:
    """Raise `Refused` for sizes that are none, and for two that are to be worked out."""
    if any(size == 0 for size in wanted):
        raise Refused("a tensor with no values")
    if any(isinstance(size, int) and size < -1 for size in wanted) or wanted.count(-1) > 1:
        raise Refused(f"its sizes are {', '.join(map(str, wanted))}")


def sample_shape(reading: Reading, x: Tensor, wanted: list[Size]) -> Shape:
    """The new shape of a sample; raises `Refused` when values would move between samples."""
    total = prod(x.shape)
    if not reading.batch:
        return resolved(wanted, total)
    first, rest = wanted[0], wanted[1:]
    facts = reading.builder.graph.facts
    if not rest and not facts.equal(total, 1):
        raise Refused("it makes one row of all samples")
    if first == -1:
        if not facts.equal(prod(rest), total):
            raise Refused(f"it makes samples of {prod(rest)} values out of {total}")
        return tuple(rest)
    if first != BATCH and first != reading.batch_size:
        raise Refused(f"it makes a batch of {first}")
    if -1 in rest:
        return resolved(rest, total)
    if not facts.equal(prod(rest), total):
        raise Refused(f"it makes samples of {prod(rest)} values out of {total}")
    return tuple(rest)


def resolved(sizes: list[Size], total: Size) -> Shape:
    """Sizes with the -1 worked out."""
    if -1 not in sizes:
        return tuple(sizes)
    known = prod(s for s in sizes if s != -1)
    try:
        return tuple(total // known if s == -1 else s for s in sizes)
    except SymbolicError as error:
        raise Refused(str(error)) from None


@converts("Squeeze", "Unsqueeze")
def squeeze(reading: Reading) -> Tensor:
    """Axes of size 1 taken away or put in."""
    x = reading.tensor(0)
    axes = reading.sizes(1) if reading.has(1) else reading.get("axes")
    sizes: list[Size] = [*([BATCH] * reading.batch), *x.shape]
    if reading.operator.type == "Unsqueeze":
        if axes is None:
            raise Refused("it names no axes")
        rank = len(sizes) + len(axes)
        for axis in sorted(all_counted(axes, rank)):
            sizes.insert(axis, 1)
    else:
        if axes is None and reading.batch_size == 1:
            raise Refused("it takes away the batch")
        ones = [axis for axis, size in enumerate(sizes) if size == 1]
        gone = set(ones if axes is None else all_counted(axes, len(sizes)))
        if any(sizes[axis] != 1 for axis in gone):
            raise Refused("it takes away an axis that holds more than one value, or the batch")
        sizes = [size for axis, size in enumerate(sizes) if axis not in gone]
    if reading.batch and sizes[:1] != [BATCH]:
        raise Refused("it takes away or moves the batch")
    return to_shape(reading, x, tuple(sizes[reading.batch :]))


@converts("Transpose")
def transpose(reading: Reading) -> Tensor:
    """Another order of the axes; the batch stays in front."""
    x = reading.tensor(0)
    rank = len(x.shape) + reading.batch
    order = list(reading.get("perm") or range(rank - 1, -1, -1))
    check_order(order, rank)
    if reading.batch and order[0] != 0:
        raise Refused("it moves the batch")
    own = [axis - reading.batch for axis in order[reading.batch :]]
    return x if own == sorted(own) else reading.add("transpose", x, order=own)


def check_order(order: Sequence[int], rank: int) -> None:
    """Raise `Refused` for an order that does not name each axis once."""
    if sorted(order) != [*range(rank)]:
        raise Refused(f"its order {', '.join(map(str, order))} is none of {rank} axes")


@converts("DepthToSpace")
def depth_to_space(reading: Reading) -> Tensor:
    """Channels become pixels: CRD is `pixel_shuffle`; DCR has its channels in another order."""
    x, r = as_map(reading), int(reading.get("blocksize"))
    if reading.get("mode", "DCR") == "DCR":
        x = reading.add("channel_shuffle", x, groups=r * r)
    return reading.add("pixel_shuffle", x, r=r)


def as_map(reading: Reading) -> Tensor:
    """The input, in the shape that it had where it was written out by way of six axes."""
    x, given = reading.tensor(0), reading.get("given")
    if given is None:
        return x
    if not reading.builder.graph.facts.equal(prod(given), prod(x.shape)):
        raise Refused(f"it makes samples of {prod(given)} values out of {prod(x.shape)}")
    return to_shape(reading, x, tuple(given))


@converts("SpaceToDepth")
def space_to_depth(reading: Reading) -> Tensor:
    """Pixels become channels: CRD is `pixel_unshuffle`; DCR has its channels in another order."""
    x, r = as_map(reading), int(reading.get("blocksize"))
    y = reading.add("pixel_unshuffle", x, r=r)
    if reading.get("mode", "DCR") == "CRD":
        return y
    return reading.add("channel_shuffle", y, groups=x.shape[0])
