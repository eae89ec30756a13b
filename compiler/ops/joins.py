"""Joins of several tensors: element by element, or one behind the other."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import ClassVar

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.domain.suggestions import help_unequal
from compiler.ops.arguments import arg
from compiler.ops.base import Op, Reach, Shape, ShapeError, Shapes, along_axis, show_shape
from compiler.ops.shapes import axis_names, per_sample_axis
from compiler.ops.sizes import AXIS
from grammar.diagnostics import Behind, Remedy
from grammar.records import dataclass


def lined_up(inputs: Shapes, bare: Iterable[bool]) -> Shapes:
    """The branches of an element-wise join; those that come from no input stretch like numbers.

    A learned or fixed tensor of fewer axes than what it is joined with goes with the last of them:
    a scale [C] with tokens [T, C].
    """
    pairs = list(zip(inputs, bare, strict=True))
    rank = max((len(s) for s, own in pairs if not own), default=0)
    return tuple((1,) * (rank - len(s)) + s if own else s for s, own in pairs)


def size_word(axis: int, rank: int) -> str:
    """What the sizes along a per-sample axis are called."""
    return "channels" if axis == 0 else axis_names(rank - 1)[axis - 1]


def check_ranks(op: Op, inputs: Shapes, facts: Facts) -> None:
    """Raise E305 unless all branches have as many axes."""
    rank = max(map(len, inputs))
    if all(len(shape) == rank for shape in inputs):
        return
    help = None
    vectors = [place for place, shape in enumerate(inputs) if len(shape) == 1]
    if len({inputs[place] for place in vectors}) == 1:
        wanted = (*inputs[vectors[0]], *[1] * (rank - 1))
        as_maps = tuple(wanted if len(shape) == 1 else shape for shape in inputs)
        as_vectors = tuple((prod(shape),) for shape in inputs)
        if is_joined(op, as_maps, facts):
            layer = f"reshape({show_shape(wanted)})"
            behind = Behind(layer, tuple(vectors))
            help = Remedy(f"`{layer}` behind the vector would do", (behind,))
        elif is_joined(op, as_vectors, facts):
            maps = tuple(place for place in range(len(inputs)) if place not in vectors)
            help = Remedy("`flatten` behind the map would do", (Behind("flatten", maps),))
    raise ShapeError("E305", f"{op.name} joins tensors of one rank", help=help)


def is_joined(op: Op, inputs: Shapes, facts: Facts) -> bool:
    """Whether a join takes branches of these shapes."""
    try:
        op.infer(inputs, facts)
    except ShapeError:
        return False
    return True


def projection(inputs: Shapes) -> str:
    """The 1x1 convolution that brings the second branch to the first's shape, if one does."""
    (channels, *first), (_, *second) = inputs[:2]
    pairs = [
        (b // a if isinstance(a, int) and isinstance(b, int) and b % a == 0 else 0)
        for a, b in zip(first, second, strict=True)
    ]
    if not pairs or len(set(pairs)) != 1 or pairs[0] == 0:
        return ""
    stride = f", stride={pairs[0]}" if pairs[0] > 1 else ""
    return f": conv({channels}, 1x1{stride})"


PAD_OR_CROP = 'pad the branch that shrinks (pad="same"), or crop the larger one'


def disagree(
    inputs: Shapes,
    unequal: list[tuple[int, Size, Size]],
    op: str,
    facts: Facts,
    help: Remedy | str | None = None,
) -> ShapeError:
    """The E304 of two branches whose sizes are not proved equal along some axes."""
    axis, a, b = unequal[0]
    return ShapeError(
        "E304",
        f"sizes disagree at {op}",
        label=f"{size_word(axis, len(inputs[0]))}: {a} and {b}",
        help=help or usual_help(inputs, unequal, facts),
    )


def usual_help(
    inputs: Shapes, unequal: list[tuple[int, Size, Size]], facts: Facts
) -> Remedy | str | None:
    """What mends two branches of other sizes along these axes."""
    axis, a, b = unequal[0]
    if isinstance(a, Dim) or isinstance(b, Dim):
        return help_unequal(facts, [(have, want) for _, have, want in unequal])
    if axis != 0:
        return PAD_OR_CROP
    conv = projection(inputs)
    rest = "" if conv or len(unequal) == 1 else f"; their maps differ too: {PAD_OR_CROP}"
    return f"a 1x1 conv brings a branch to the other's channels{conv}{rest}"


@dataclass(frozen=True)
class Join(Op, group="connect"):
    """What the element-wise joins share; a size of 1 stretches to the others'."""

    most_inputs: ClassVar[int | None] = None

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_ranks(self, inputs, facts)
        shape = list(inputs[0])
        for other in inputs[1:]:
            unequal = []
            for axis, (a, b) in enumerate(zip(shape, other, strict=True)):
                if a == 1:
                    shape[axis] = b
                elif b != 1 and not facts.equal(a, b):
                    unequal.append((axis, a, b))
            if unequal:
                raise disagree(inputs, unequal, self.name, facts)
        return tuple(shape)


@dataclass(frozen=True)
class Add(Join, name="add"):
    """The sum of its branches, [C, 1, 1] stretching over [C, H, W]."""


@dataclass(frozen=True)
class Mul(Join, name="mul"):
    """The product of its branches, [C, 1, 1] stretching over [C, H, W]: a gate."""


@dataclass(frozen=True)
class Sub(Join, name="sub"):
    """The first of two tensors minus the second."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2


@dataclass(frozen=True)
class Div(Join, name="div"):
    """The first of two tensors divided by the second."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2


@dataclass(frozen=True)
class Max(Join, name="max"):
    """The largest of its branches, element by element: maxout (Goodfellow et al. 2013)."""


@dataclass(frozen=True)
class Min(Join, name="min"):
    """The smallest of its branches, element by element."""


@dataclass(frozen=True)
class Mean(Join, name="mean"):
    """The mean of its branches, element by element: an ensemble."""

    in_float32: ClassVar[bool] = True


@dataclass(frozen=True)
class Concat(Op, name="concat", group="connect"):
    """Its branches one behind the other, along the channels unless `axis` says otherwise."""

    most_inputs: ClassVar[int | None] = None

    axis: int = arg(AXIS, 0, "0 is the channels; negative counts from the end")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_ranks(self, inputs, facts)
        along = per_sample_axis(self.axis, inputs[0], self.name)
        shape = list(inputs[0])
        for other in inputs[1:]:
            unequal = []
            for axis, (a, b) in enumerate(zip(shape, other, strict=True)):
                if axis == along:
                    shape[axis] = a + b
                elif not facts.equal(a, b):
                    unequal.append((axis, a, b))
            if unequal:
                help = f"the channels are axis 0, this joins along axis {along}"
                other_axis = help if unequal[0][0] == 0 else None
                raise disagree(inputs, unequal, self.name, facts, other_axis)
        return tuple(shape)

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return along_axis(self.axis, output)
