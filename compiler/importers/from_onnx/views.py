"""Tensors between two operators of which no layer is made yet.

`FactoredView` is a tensor whose axes were split, merged and reordered: models move the batch and
bring it back, or go by way of more axes than a layer has. It becomes layers once it is a batch of
samples again. `Stretched` is repeated along axes of size 1, which a join does by itself; `Bordered`
has pixels around it that never win, which a pooling has by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias

from compiler.dims import Dim, Size, SymbolicError, evaluate, symbols
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import BATCH, Pending, Reading, Value
from compiler.importers.from_onnx.reshape import to_shape
from compiler.ops.base import Shape
from compiler.ops.sizes import MOST_AXES
from compiler.values import Tensor
from grammar.records import dataclass

Axes: TypeAlias = "tuple[tuple[int, ...], ...]"
MOST_SIZES = 4  # of a sample; one of more may be on the way to another
TYPICAL = 5040  # a value of a symbol at which factors are guessed: many numbers divide it
THE_BATCH = -1  # in place of a factor's number
MOST_COPIES = 64  # of a tensor that is stretched


@dataclass(frozen=True)
class FactoredView(Pending):
    """A tensor by the factors of its sizes: `axes` are the factors that each axis consists of.

    `factors` multiply to the sizes of a sample of `tensor`, in their order; those of size 1 are in
    no axis. The batch is one too; a fixed batch of 1 may be in no axis.
    """

    factors: Shape
    axes: Axes

    def size(self, factor: int) -> Size:
        """One factor."""
        return BATCH if factor == THE_BATCH else self.factors[factor]

    @property
    def sizes(self) -> Shape:
        """The sizes of all axes, the batch among them."""
        return tuple(prod(map(self.size, axis)) for axis in self.axes)

    @property
    def batch(self) -> int | None:
        """The axis that is the batch and nothing else; None when there is none."""
        return self.axes.index((THE_BATCH,)) if (THE_BATCH,) in self.axes else None


@dataclass(frozen=True)
class Stretched(Pending):
    """A tensor repeated along its axes of size 1 until a sample has this shape."""

    shape: Shape


@dataclass(frozen=True)
class Bordered(Pending):
    """A map with pixels of minus infinity around it, so many before and after along each axis."""

    pairs: tuple[tuple[int, int], ...]


def view_of(tensor: Tensor) -> FactoredView:
    """A tensor as it is."""
    axes = tuple((place,) if size != 1 else () for place, size in enumerate(tensor.shape))
    return FactoredView(tensor, tensor.shape, ((THE_BATCH,), *axes))


def with_batch(tensor: Tensor, place: int | None) -> FactoredView:
    """A tensor whose batch is not in front but the axis at `place`, or nowhere."""
    (batch, *axes) = view_of(tensor).axes
    if place is not None:
        axes.insert(place, batch)
    return replace(view_of(tensor), axes=tuple(axes))


# ---- operators on views


def transposed(view: FactoredView, order: Sequence[int]) -> FactoredView:
    """The axes in another order."""
    return replace(view, axes=tuple(view.axes[axis] for axis in order))


def reshaped(reading: Reading, view: FactoredView, wanted: Sequence[Size]) -> FactoredView:
    """Other axes of the same values; raises `Refused` where they cut across the factors."""
    whole = list(view.factors)
    queue = [factor for axis in view.axes for factor in axis]
    loose = reading.batch_size == 1
    if loose and THE_BATCH in queue:
        before = queue.index(THE_BATCH)
        queue.remove(THE_BATCH)
    else:
        before = 0
    facts = reading.builder.graph.facts
    pieces: dict[int, list[int]] = {}

    def size(factor: int) -> Size:
        return BATCH if factor == THE_BATCH else whole[factor]

    axes: list[tuple[int, ...]] = []
    for place, rest in enumerate(settled(view, wanted, loose)):
        axis: list[int] = []
        while not facts.equal(rest, 1):
            if not queue:
                raise Refused("its sizes do not fit")
            factor = queue.pop(0)
            have = size(factor)
            share = quotient(rest, have)
            if share is not None:
                axis.append(factor)
                rest = share
                continue
            left = quotient(have, rest) or learned(reading, have, rest)
            if factor == THE_BATCH or left is None:
                raise Refused(f"it cuts axes of {have} into parts of {rest} that mix values")
            first, second = len(whole), len(whole) + 1
            whole += [rest, left]
            pieces[factor] = [first, second]
            axis.append(first)
            queue.insert(0, second)
            break
        axes.append(tuple(axis))
        assert place + 1 == len(axes)
    if queue:
        raise Refused("its sizes do not fit")
    if loose and len(axes):
        axes = placed(axes, before)
    return numbered_anew(replace(view, axes=tuple(axes)), whole, pieces)


def settled(view: FactoredView, wanted: Sequence[Size], loose: bool) -> list[Size]:
    """The wanted sizes with their -1 worked out; a fixed batch of 1 counts as 1."""
    sizes = [1 if loose and size == BATCH else size for size in wanted]
    if -1 in sizes:
        total = prod(1 if loose and size == BATCH else size for size in view.sizes)
        known = prod(size for size in sizes if size != -1)
        share = quotient(total, known)
        if share is None and sizes[0] == -1 and not loose:
            share = BATCH  # should it be anything else, the sizes will not fit
        if share is None:
            raise Refused(f"{total} values do not make rows of {known}")
        sizes = [share if size == -1 else size for size in sizes]
    return sizes


def quotient(size: Size, by: Size) -> Size | None:
    """The quotient where it is whole for every size, else None."""
    if by == size:
        return 1
    if isinstance(size, int) and isinstance(by, int):
        return size // by if by and size % by == 0 else None
    try:
        found = size // by
    except SymbolicError:
        return None
    return found if found * by == size else None


def learned(reading: Reading, size: Size, by: Size) -> Size | None:
    """The whole number by which one symbolic size is another, learned as `assert` would."""
    names = symbols(size) | symbols(by)
    if not names or names & symbols(BATCH):
        return None
    typical = dict.fromkeys(names, TYPICAL)
    factor = round(evaluate(size, typical) / max(evaluate(by, typical), 1))
    return factor if factor >= 1 and reading.builder.equate(by * factor, size) else None


def placed(axes: list[tuple[int, ...]], before: int) -> list[tuple[int, ...]]:
    """The axes with the batch in one of size 1: the one at its old place, else the first."""
    empty = [place for place, axis in enumerate(axes) if not axis]
    same = [place for place in empty if sum(map(len, axes[:place])) == before]
    for place in (*same, *empty)[:1]:
        axes[place] = (THE_BATCH,)
    return axes


def numbered_anew(
    view: FactoredView, whole: Sequence[Size], pieces: dict[int, list[int]]
) -> FactoredView:
    """The view with its factors counted in their order again, those that were cut replaced."""
    order: list[int] = []

    def spread(factor: int) -> None:
        for piece in pieces.get(factor, ()):
            spread(piece)
        if factor not in pieces:
            order.append(factor)

    for factor in range(len(view.factors)):
        spread(factor)
    number = {factor: place for place, factor in enumerate(order)} | {THE_BATCH: THE_BATCH}
    return FactoredView(
        view.tensor,
        tuple(whole[factor] for factor in order),
        tuple(tuple(number[factor] for factor in axis) for axis in view.axes),
    )


# ---- views to layers


def settle(reading: Reading, view: FactoredView) -> Value:
    """The tensor that a view is, once its batch is in front and its axes are few enough."""
    axes = view.axes
    loose = reading.batch_size == 1 and not any(THE_BATCH in axis for axis in axes)
    if axes[:1] != ((THE_BATCH,),) and not (loose and axes[:1] == ((),)):
        return view
    if not 2 <= len(axes) <= MOST_SIZES + 1:
        return view
    return materialised(reading, view, axes[1:])


def in_front(reading: Reading, view: FactoredView) -> Tensor:
    """The tensor with the batch moved in front; raises `Refused` where it is in no axis alone."""
    axes = [axis for axis in view.axes if axis != (THE_BATCH,)]
    if any(THE_BATCH in axis for axis in axes):
        raise Refused("it mixes the batch with the sample")
    if view.batch is None and reading.batch_size != 1:
        raise Refused("it takes away the batch")
    if not 1 <= len(axes) <= MOST_AXES:
        raise Refused(f"a tensor has 1 to {MOST_AXES} sizes besides the batch")
    return materialised(reading, view, tuple(axes))


def materialised(reading: Reading, view: FactoredView, axes: Axes) -> Tensor:
    """The layers that bring a sample's factors into this order and shape."""
    shape = tuple(prod(map(view.size, axis)) for axis in axes)
    order = [factor for axis in axes for factor in axis]
    runs = runs_of(order)
    x = unshuffled(reading, view, order)
    if x is not None:
        tensor, given = x
        wanted = [given.index(factor) for factor in order]
        sizes = [view.size(factor) for factor in given]
        return to_shape(reading, permuted(reading, tensor, sizes, wanted), shape)
    ordered = sorted(runs)
    sizes = [prod(map(view.size, run)) for run in ordered]
    moved = permuted(reading, view.tensor, sizes, [ordered.index(run) for run in runs])
    return to_shape(reading, moved, shape)


def runs_of(order: Sequence[int]) -> list[tuple[int, ...]]:
    """Factors that stay side by side, in their new order."""
    runs: list[tuple[int, ...]] = []
    for factor in order:
        if runs and runs[-1][-1] + 1 == factor:
            runs[-1] = (*runs[-1], factor)
        else:
            runs.append((factor,))
    return runs


def unshuffled(
    reading: Reading, view: FactoredView, order: Sequence[int]
) -> tuple[Tensor, list[int]] | None:
    """Space to depth, with the order of the factors that it leaves; None where this is not it."""
    shape = view.tensor.shape
    if len(shape) != 3 or len(order) < 5:
        return None
    *channels, h, r, w, q = range(len(view.factors))
    block = view.factors[r]
    facts = reading.builder.graph.facts
    rows, columns = (prod(view.size(factor) for factor in pair) for pair in ((h, r), (w, q)))
    maps = facts.equal(rows, shape[1]) and facts.equal(columns, shape[2])
    if not maps or block != view.factors[q] or isinstance(block, Dim):
        return None
    if list(order[-2:]) != [h, w]:
        return None
    tensor = reading.add("pixel_unshuffle", view.tensor, r=block)
    return tensor, [*(c for c in channels if c in order), r, q, h, w]


def permuted(reading: Reading, x: Tensor, sizes: Sequence[Size], order: Sequence[int]) -> Tensor:
    """The axes of these sizes in another order, by transposes of no more axes than there may be."""
    if list(order) == sorted(order):
        return x
    if len(sizes) <= MOST_AXES:
        return reading.add("transpose", to_shape(reading, x, tuple(sizes)), order=list(order))
    now = list(range(len(sizes)))
    while now != list(order):
        start = next(place for place, axis in enumerate(order) if now[place] != axis)
        first = now.index(order[start])
        end = first
        while end < len(now) and now[end] == order[start + end - first]:
            end += 1
        parts = [now[:start], now[start:first], now[first:end], now[end:]]
        there = [place for place in range(4) if parts[place]]
        shape = tuple(prod(sizes[axis] for axis in parts[place]) for place in there)
        swapped = [place for place in (0, 2, 1, 3) if place in there]
        x = reading.add(
            "transpose", to_shape(reading, x, shape), order=[there.index(p) for p in swapped]
        )
        now = [axis for place in swapped for axis in parts[place]]
    return x


# ---- stretched


def copied(reading: Reading, stretched: Stretched) -> Tensor:
    """The copies of a tensor that is stretched, one behind the other."""
    x = stretched.tensor
    shape = (1,) * (len(stretched.shape) - len(x.shape)) + x.shape
    x = to_shape(reading, x, shape)
    for axis, (have, wanted) in enumerate(zip(shape, stretched.shape, strict=True)):
        if have != wanted:
            x = repeated(reading, x, axis, wanted)
    return x


def repeated(reading: Reading, x: Tensor, axis: int, times: Size) -> Tensor:
    """So many copies of a tensor, one behind the other along an axis."""
    if isinstance(times, Dim) or times > MOST_COPIES:
        raise Refused(f"it repeats its input {times} times")
    return x if times == 1 else reading.add("concat", *([x] * times), axis=axis)
