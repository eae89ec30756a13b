"""The shape that an op makes, and the words for axes and sizes."""

from __future__ import annotations

from math import prod

from compiler.domain import Facts
from compiler.ops.arguments import Extent
from compiler.ops.base import Op, Shape, ShapeError, Shapes, show_shape

LARGEST_SIZE = 2**62
MOST_NUMBERS = 2**64  # of a tensor: beyond, no machine has addresses for them

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_names(rank: int) -> tuple[str, ...]:
    """The words for the spatial axes of a tensor of this spatial rank."""
    return AXIS_NAMES.get(rank) or tuple(f"axis {i + 1}" for i in range(rank))


def axes_in_words(rank: int) -> str:
    """`1 spatial axis`, `2 spatial axes`"""
    return f"{rank} spatial {'axis' if rank == 1 else 'axes'}"


def infer(op: Op, inputs: Shapes, facts: Facts) -> Shape:
    """The shape that `op` makes of `inputs`: the one rule, for elaboration and every later check.

    Every size of the result is symbolic or from 1 to `LARGEST_SIZE`, and a tensor has at most
    `MOST_NUMBERS`. Raises `ShapeError`.
    """
    shape = tuple(facts.simplify(size) for size in op.infer(inputs, facts))
    for size in shape:
        if facts.decide(size, ">=", 1) is False:
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
    value: int | tuple[int, ...], rank: int, argument: str, *, help: str | None = None
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


def rank_help(value: tuple[int, ...], rank: int, argument: str) -> str:
    """The remedy for a size of too few or too many numbers."""
    if (rank, len(value)) == (3, 2):
        return "the batch is not written, an image is [C, H, W]"
    return f"a single number serves every axis: {argument}={value[0]}"
