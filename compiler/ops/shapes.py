"""The shape that an op makes, what ops ask of their inputs, and the words for axes and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, isqrt, prod
from typing import Any

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.ops.arguments import Extent
from compiler.ops.arrays import nested_shape
from compiler.ops.base import Op, Shape, ShapeError, Shapes, show_shape
from grammar.diagnostics import NewArgument, Remedy

LARGEST_SIZE = 2**62
MOST_NUMBERS = 2**64  # of a tensor: beyond, no machine has addresses for them

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_names(rank: int) -> tuple[str, ...]:
    """The words for the spatial axes of a tensor of this spatial rank."""
    return AXIS_NAMES.get(rank) or tuple(f"axis {i + 1}" for i in range(rank))


def axes_in_words(rank: int) -> str:
    """`1 spatial axis`, `2 spatial axes`"""
    return f"{rank} spatial {'axis' if rank == 1 else 'axes'}"


def class_axis(shape: Sequence[object]) -> int:
    """The axis of a sample along which its classes lie.

    The numbers of a vector and the maps of a segmentation [K, H, W] are classes, and so are the
    columns of a table [boxes, K], as of a detector's scores.
    """
    return 1 if len(shape) == 2 else 0


def infer(op: Op, inputs: Shapes, facts: Facts) -> Shape:
    """The shape that `op` makes of `inputs`: the one rule, for elaboration and every later check.

    Every size of the result is symbolic or from 1 to `LARGEST_SIZE`, and a tensor has at most
    `MOST_NUMBERS`. Raises `ShapeError`.
    """
    shape = op.infer(inputs, facts)
    if any(isinstance(size, Dim) for size in shape):
        shape = tuple(map(facts.simplify, shape))
    for size in shape:
        if size < 1 if isinstance(size, int) else facts.decide(size, ">=", 1) is False:
            raise ShapeError(
                "E301", f"{op.name} leaves nothing: its output would be {show_shape(shape)}"
            )
        if isinstance(size, int) and size > LARGEST_SIZE:
            raise ShapeError("E209", f"{op.name} makes a size beyond 64 bits: {show_shape(shape)}")
    if numbers_of(shape) > MOST_NUMBERS:
        raise ShapeError(
            "E209",
            f"{op.name} makes a tensor beyond all memory: {show_shape(shape)}",
            label=f"{numbers_of(shape):.2g} numbers in a sample, of which 2**64 have addresses",
        )
    return shape


def numbers_of(shape: Shape) -> int:
    """How many numbers a tensor has at least: a symbolic size may be 1."""
    return prod(size for size in shape if isinstance(size, int))


def per_axis(
    value: int | tuple[int, ...], rank: int, argument: str, *, help: Remedy | None = None
) -> tuple[int, ...]:
    """A scalar repeated for each of `rank` axes, or a size that must have as many numbers.

    `help` is the remedy where that is another than usual.
    """
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise ShapeError(
            "E305",
            f"{argument} {Extent(value)} has {len(value)} numbers, "
            f"but the input has {axes_in_words(rank)}",
            argument=argument,
            label=f"{len(value)} numbers for {axes_in_words(rank)}",
            help=help or rank_help(value, rank, argument),
        )
    return tuple(value)


def rank_help(value: tuple[int, ...], rank: int, argument: str) -> Remedy:
    """The remedy for a size of too few or too many numbers."""
    if (rank, len(value)) == (3, 2):
        return Remedy("the batch is not written, an image is [C, H, W]")
    setting = NewArgument(argument, value[0])
    return Remedy(f"a single number serves every axis: {argument}={value[0]}", (setting,))


def channels_of(shape: Shape, op: str) -> int:
    """The channel count of a tensor [C, …] (E305); it must be a known number (E307)."""
    if not shape:
        raise ShapeError("E305", f"{op} takes a tensor with channels, and its input is one number")
    if isinstance(shape[0], Dim):
        raise ShapeError(
            "E307",
            f"{op} must know the number of channels, which is the symbolic size {shape[0]}",
            help="an input's shape begins with the number of channels; the batch is not written",
        )
    return shape[0]


def spatial_of(shape: Shape, op: str) -> Shape:
    """The spatial sizes of a tensor [C, …], of which there must be at least one (E305)."""
    if not shape:
        raise ShapeError(
            "E305",
            f"{op} slides along spatial axes, but its input is one number",
            help="move it before the reduction",
        )
    if len(shape) < 2:
        raise ShapeError(
            "E305",
            f"{op} slides along spatial axes, but its input is a vector",
            help="move it before `flatten`, or give the vector axes with `reshape`",
        )
    return shape[1:]


def check_map(shape: Shape, op: str) -> None:
    """Raise E305 unless the tensor is [C, H, W]."""
    if len(shape) != 3:
        raise ShapeError(
            "E305",
            f"{op} takes a map with height and width",
            label=f"the input is {show_shape(shape)}",
        )


def known(shape: Shape, op: str) -> tuple[int, ...]:
    """`shape` as plain numbers; an op whose weights or pads depend on every size needs them."""
    numbers = tuple(size for size in shape if not isinstance(size, Dim))
    if len(numbers) != len(shape):
        symbolic = next(size for size in shape if isinstance(size, Dim))
        raise ShapeError(
            "E307",
            f"{op} must know every size of its input, but {symbolic} is symbolic",
            help="fix the input's size, or make the map's size known first (gap, adaptive_avgpool)",
        )
    return numbers


def per_sample_axis(axis: int, shape: Shape, op: str, argument: str = "axis") -> int:
    """An axis counted from 0 (channels), negative ones from the end; raises E305 outside."""
    if not -len(shape) <= axis < len(shape):
        counted = (NewArgument(argument, axis - 1),) if 0 < axis <= len(shape) else ()
        raise ShapeError(
            "E305",
            f"the axis of {op} must exist",
            argument=argument,
            label=f"{axis}, but the tensor {show_shape(shape)} has axes 0 to {len(shape) - 1}",
            help=Remedy(
                "the batch is not counted, the channels are axis 0"
                + (f": {argument}={axis - 1}" if counted else ""),
                counted,
            ),
        )
    return axis % len(shape)


def per_sample_axes(axes: Any, shape: Shape, op: str) -> tuple[int, ...]:
    """One or several axes counted from 0, in order; None stands for all. Raises E305."""
    if not shape:
        raise ShapeError("E305", f"{op} works along axes, and its input is one number")
    if axes is None:
        return tuple(range(len(shape)))
    given = axes if isinstance(axes, tuple) else (axes,)
    found = tuple(sorted(per_sample_axis(axis, shape, op) for axis in given))
    if len({*found}) != len(found):
        raise ShapeError(
            "E305",
            f"{op} takes each axis once",
            argument="axis",
            label=f"{list(given)} of the tensor {show_shape(shape)}",
        )
    return found


def check_groups(groups: int, **channels: int) -> None:
    """Raise E303 unless each channel count (`input=64, output=128`) divides into `groups`."""
    for what, count in channels.items():
        if count % groups:
            fitting = largest_divisor(gcd(*channels.values()), groups)
            raise ShapeError(
                "E303",
                f"groups must divide the {what} channels",
                argument="groups",
                label=f"{count} {what} channels do not divide into {groups} groups",
                notes=["channels: " + ", ".join(f"{n} {w}" for w, n in channels.items())],
                help=Remedy(
                    f"the largest number of groups up to {groups} that fits is {fitting}",
                    (NewArgument("groups", fitting),),
                ),
            )


def largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of `number` that is at most `limit`.

    >>> largest_divisor(96, 20), largest_divisor(96, 16), largest_divisor(7, 6)
    (16, 16, 1)
    """
    small = [d for d in range(1, isqrt(number) + 1) if number % d == 0]
    return max(d for d in (*small, *(number // d for d in small)) if d <= limit)


def check_fixed(values: Any, shape: tuple[int, ...], op: str) -> None:
    """Raise E306 unless fixed weights have the shape that the layer needs."""
    if values is not None and nested_shape(values) != shape:
        raise ShapeError(
            "E306",
            f"the fixed weight of {op} must have shape {show_shape(shape)}",
            argument="weight",
            label=f"this has shape {show_shape(nested_shape(values))}",
        )
