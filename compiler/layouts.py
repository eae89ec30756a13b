"""The shape of an input written as elsewhere: with the batch, or with the channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from compiler.dims import Dim, Size
from compiler.ops.base import Shape, show_shape
from grammar import syntax as s
from grammar.diagnostics import Fix
from grammar.records import dataclass
from grammar.source import Span

BATCH_NAMES = ("n", "b", "bs", "batch", "batch_size")
LEAST_SIDE = 8  # pixels from which a size is more likely a side of a picture than a count

T = TypeVar("T")


@dataclass(frozen=True)
class ForeignLayout:
    """What the sizes of a shape seem to be.

    `order` names for each size of the shape that was meant its place in the written one.
    """

    order: tuple[int, ...]

    @property
    def has_batch(self) -> bool:
        """Whether the batch is written."""
        return 0 not in self.order

    @property
    def has_channels_last(self) -> bool:
        """Whether the channels are written last."""
        return self.order[0] == len(self.order) - 1 + self.has_batch

    def meant(self, written: Sequence[T]) -> tuple[T, ...]:
        """What is written for each size, in the order that was meant."""
        return tuple(written[axis] for axis in self.order)

    def question(self, shape: Shape) -> str:
        """A help line for an input of this shape."""
        rules = ["the batch is not written"] * self.has_batch
        rules += ["the channels come first"] * self.has_channels_last
        return f"was {show_shape(self.meant(shape))} meant? {' and '.join(rules)}"

    def fix(self, declaration: s.InputDeclaration) -> Fix:
        """The edit of the text that writes the shape as it was meant."""
        text = ", ".join(self.meant([size.span.text for size in declaration.shape.sizes]))
        return Fix(f"make it [{text}]", declaration.shape.span, f"[{text}]")


def declarations(net: s.Definition) -> dict[Span, s.InputDeclaration]:
    """The declaration of each input by the place of its name, where the input's node stands."""
    inputs = (st for st in net.body.statements if isinstance(st, s.InputDeclaration))
    return {declaration.name.span: declaration for declaration in inputs}


def foreign_layout(shape: Shape) -> ForeignLayout | None:
    """How a shape seems to be written; None where it may well be channels first, per sample."""
    if len(shape) < 2:
        return None
    first, sizes, places = shape[0], shape[1:], tuple(range(len(shape)))
    if is_sample_count(first) and has_channels_last(sizes):
        return ForeignLayout((places[-1], *places[1:-1]))
    if has_channels_first(sizes) if is_sample_count(first) else is_batch_of_many(shape):
        return ForeignLayout(places[1:])
    if has_channels_last(shape):
        return ForeignLayout((places[-1], *places[:-1]))
    return None


def is_sample_count(size: Size) -> bool:
    """Whether a first size seems to be the batch: 1, or a symbol that is called so."""
    return size == 1 or (isinstance(size, Dim) and str(size).lower() in BATCH_NAMES)


def has_channels_first(sizes: Shape) -> bool:
    """Whether sizes behind the batch look like `[1, W]`, `[C, H, W]` or `[C, D, H, W]`."""
    channels = {2: (1,), 3: (1, 3, 4), 4: (1, 3, 4)}.get(len(sizes), ())
    return bool(channels) and sizes[0] in channels and all(map(is_side, sizes[1:][-2:]))


def is_batch_of_many(shape: Shape) -> bool:
    """Whether a shape looks like `[16, 3, H, H]`, so large that it is no map of 3 frames."""
    if len(shape) not in (4, 5) or shape[1] not in (1, 3) or shape[-2] != shape[-1]:
        return False
    return is_side(shape[0]) and is_side(shape[-1], least=2 * LEAST_SIDE)


def has_channels_last(sizes: Shape) -> bool:
    """Whether sizes look like `[W, 1]`, `[H, W, C]` or `[D, H, W, C]`.

    Four channels are said of square pictures only: small maps of other tensors look alike.
    """
    *sides, channels = sizes
    usual = {1: (1,), 2: (1, 3, 4), 3: (1, 3, 4)}.get(len(sides), ())
    if channels not in usual or not all(map(is_side, sides)):
        return False
    alike = len({type(side) for side in sides}) == 1  # no `[C, 16, 1]`
    return alike and (channels != 4 or sides[-1] == sides[-2])


def is_side(size: Size, least: int = LEAST_SIDE) -> bool:
    """Whether a size may be a side of a picture, in pixels; a symbol may."""
    return isinstance(size, Dim) or size >= least
