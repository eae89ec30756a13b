"""ONNX operators that take parts of an axis: slices, equal or given parts, single values."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim, Size
from compiler.graph import is_whole
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.joins import held
from compiler.importers.from_onnx.reading import Reading, all_counted, converts, counted
from compiler.importers.from_onnx.reshape import to_shape
from compiler.values import Tensor

MOST_RUNS = 16  # in which places are picked
MOST_PLACES = 4096  # that a definition spells out
FAR = 2**31 - 1  # an end at or beyond this means the end of the axis


@converts("Split")
def split(reading: Reading) -> list[Tensor]:
    """Parts of an axis, one behind the other."""
    x, count = reading.tensor(0), len(reading.operator.outputs)
    axis = reading.axis(int(reading.get("axis", 0)), x)
    size = x.shape[axis]
    if isinstance(size, Dim):
        raise Refused("it cuts an axis of symbolic size")
    if reading.has(1) or reading.get("split"):
        parts = [
            int(p)
            for p in (reading.sizes(1) if reading.has(1) else reading.get("split"))
            if not isinstance(p, Dim)
        ]
    else:
        each = -(-size // count)
        parts = [each] * (count - 1) + [size - each * (count - 1)]
    if len(parts) != count or any(n < 0 for n in parts) or sum(parts) != size:
        raise Refused(f"it cuts {size} into {count} parts of {', '.join(map(str, parts))}")
    if reading.get("num_outputs", count) != count:
        raise Refused(f"it has {count} outputs, not {reading.get('num_outputs')}")
    if 0 in parts:
        raise Refused("a tensor with no values")
    ends = list(accumulate(parts))
    return [part(reading, x, axis, end - n, end) for n, end in zip(parts, ends, strict=True)]


def part(reading: Reading, x: Tensor, axis: int, start: int, end: int, step: int = 1) -> Tensor:
    """The values from `start` up to but not including `end` along an axis of the sample."""
    size = x.shape[axis]
    if (start, end, step) == (0, size, 1):
        return x
    if axis == 0 and step == 1:
        return reading.add("channels", x, first=start, last=end - 1)
    if len(x.shape) == 3 and step == 1:
        return cropped(reading, x, axis, start, end)
    last = range(start, end, step)[-1]
    return reading.add("slice", x, first=start, last=last, step=step, axis=axis)


def cropped(reading: Reading, x: Tensor, axis: int, start: Any, end: Size) -> Tensor:
    """Rows or columns of a map."""
    sizes: list[Any] = list(x.shape[1:])
    corner = [0, 0]
    sizes[axis - 1], corner[axis - 1] = end - start, start
    return reading.add("crop", x, h=sizes[0], w=sizes[1], top=corner[0], left=corner[1])


@converts("Slice")
def slice_(reading: Reading) -> Tensor:
    """A part of some axes."""
    x = reading.tensor(0)
    if reading.get("starts") is not None:
        starts: list[Size] = [*reading.get("starts")]
        ends: list[Size] = [*reading.get("ends")]
        axes: list[Size] = [*(reading.get("axes") or range(len(starts)))]
        steps: list[Size] = [*(reading.get("steps") or [1] * len(starts))]  # of a view
    else:
        starts, ends = reading.sizes(1), reading.sizes(2)
        axes = reading.sizes(3) if reading.has(3) else [*range(len(starts))]
        steps = reading.sizes(4) if reading.has(4) else [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise Refused("its starts, ends, axes and steps are not as many")
    counts = all_counted(axes, len(x.shape) + reading.batch)
    for start, end, axis, step in zip(starts, ends, counts, steps, strict=True):
        if isinstance(step, Dim) or step == 0:
            raise Refused(f"its step is {step}")
        x = sliced(reading, x, (start, end), axis, step)
    return x


def sliced(
    reading: Reading, x: Tensor, bounds: tuple[Size, Size], onnx_axis: int, step: int
) -> Tensor:
    """Python's `[start:end:step]` along one axis."""
    start, end = bounds
    axis = onnx_axis - reading.batch
    if axis < 0:
        if (start, step) == (0, 1) and isinstance(end, int) and end >= FAR:
            return x
        raise Refused("it takes samples out of the batch")
    size = x.shape[axis]
    if isinstance(size, Dim) or isinstance(start, Dim) or isinstance(end, Dim):
        return part_of_symbolic(reading, x, (start, end), axis, step)
    taken = range(size)[start:end:step]
    if not taken:
        raise Refused("a tensor with no values")
    return part(reading, x, axis, taken.start, taken.stop, taken.step)


def part_of_symbolic(
    reading: Reading, x: Tensor, bounds: tuple[Size, Size], axis: int, step: int
) -> Tensor:
    """A part of an axis of unknown size; it must begin and end so far from the two sides."""
    (start, end), size = bounds, x.shape[axis]
    if end == size or (isinstance(end, int) and end >= FAR):
        end = 0
    if start == 0 and end == 0 and step == 1:
        return x
    counted = isinstance(start, int) and isinstance(end, int) and start >= 0 >= end
    if not counted or step != 1 or axis == 0 or len(x.shape) != 3:
        raise Refused("it cuts at a symbolic size")
    return cropped(reading, x, axis, start, size + end)


@converts("Gather")
def gather(reading: Reading) -> Tensor:
    """Values at constant places, by runs in equal steps; a single place takes its axis away.

    Other places, and those of a learned table, are `take`.
    """
    if not isinstance(reading.value(0), Tensor):
        return looked_up(reading)
    x, places = reading.tensor(0), reading.array(1)
    axis = reading.axis(int(reading.get("axis", 0)), x)
    size = x.shape[axis]
    if isinstance(size, Dim):
        raise Refused("it picks from an axis of symbolic size")
    found = [counted(int(place), size) for place in places.ravel()]
    if not found:
        raise Refused("a tensor with no values")
    runs = runs_of(found)
    if places.ndim > 1 or len(runs) > MOST_RUNS:
        return taken(reading, x, np.reshape(found, places.shape), axis)
    parts = [part(reading, x, axis, run.start, run.stop, run.step) for run in runs]
    picked = parts[0] if len(parts) == 1 else reading.add("concat", *parts, axis=axis)
    if places.ndim == 1:
        return picked
    left = tuple(s for a, s in enumerate(picked.shape) if a != axis)
    return to_shape(reading, picked, left)


def looked_up(reading: Reading) -> Tensor:
    """Places of a learned table: constant ones of one that goes with every sample, or an input."""
    table, places = reading.array(0), reading.value(1)
    if isinstance(places, Tensor) and is_whole(reading.builder.graph[str(places.node)]):
        if table.ndim != 2 or reading.get("axis", 0) not in (0, -2):
            raise Refused("it looks up values of a table that has no rows")
        rows, channels = table.shape
        weights = {"weight": table}
        return reading.add(
            "gather", places, weights=weights, known_by=(0,), rows=rows, channels=channels
        )
    if not isinstance(places, np.ndarray) or not places.ndim or len(table) != 1:
        raise Refused("it looks its values up in a table")
    x = held(reading, table[0], 0)
    axis = reading.axis(int(reading.get("axis", 0)), x)
    found = [counted(int(place), table.shape[axis + 1]) for place in places.ravel()]
    return taken(reading, x, np.reshape(found, places.shape), axis)


def taken(reading: Reading, x: Tensor, places: NDArray[Any], axis: int) -> Tensor:
    """A tensor's values at these places along an axis."""
    if places.size > MOST_PLACES:
        raise Refused(f"it picks {places.size:,} places, more than {MOST_PLACES:,}")
    index = reading.add("const", values=places.tolist())
    return reading.add("take", x, index, axis=axis)


def runs_of(places: list[int]) -> list[range]:
    """Places as few ranges in a row, each of equal steps.

    >>> runs_of([0, 1, 2, 7, 5])
    [range(0, 3), range(7, 4, -2)]
    """
    runs: list[list[int]] = []
    for place in places:
        run = runs[-1] if runs else []
        steps = {b - a for a, b in pairwise([*run, place])}
        if run and len(steps) == 1 and 0 not in steps:
            run.append(place)
        else:
            runs.append([place])
    found = []
    for run in runs:
        step = run[1] - run[0] if len(run) > 1 else 1
        found.append(range(run[0], run[-1] + (1 if step > 0 else -1), step))
    return found
