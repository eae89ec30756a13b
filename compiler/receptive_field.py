"""What an output sees of the input, layer by layer.

Along an axis, a window of kernel K (dilated), stride S and padding P lets output o see what the
positions oS - P to oS - P + K - 1 see: sizes r + (K - 1)j and strides jS (Araujo, Norris and Sim,
"Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019). Where a map is
enlarged, or divided into near-equal parts, neighbouring outputs do not move evenly, but what they
see repeats after some outputs, so it is kept for each of these phases.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import TypeAlias

from compiler.dims import Dim, Size
from compiler.domain import Facts
from compiler.graph import Graph, Input
from compiler.ops.base import Axis, Reach, Sampling, Shape
from grammar.records import dataclass

MOST_PHASES = 4096  # of what outputs see; beyond, each is said to see all that any of them sees


@dataclass(frozen=True)
class FieldAxis:
    """The receptive field along one axis, in input pixels; those before 0 are padding.

    Output p + k*n, for the n phases p, sees `first[p] + k*step` to `last[p] + k*step`, both
    included. A step of 0 means that every output sees the same.
    """

    first: tuple[int, ...] = (0,)
    last: tuple[Size, ...] = (0,)
    step: int = 1

    @property
    def size(self) -> Size:
        """The most pixels that an output sees, from the first to the last of them."""
        if len(self.last) == 1:
            return self.last[0] - self.first[0] + 1
        whole = (b for b in self.last if isinstance(b, int))  # only a step of 0 has symbolic ones
        return max(b - a + 1 for a, b in zip(self.first, whole, strict=True))

    @property
    def stride(self) -> int | Fraction:
        """The pixels from one output to the next, on average."""
        stride = Fraction(self.step, len(self.first))
        return int(stride) if stride.denominator == 1 else stride

    @property
    def start(self) -> int:
        """The first pixel that output 0 sees."""
        return self.first[0]

    def seen(self, output: int) -> tuple[int, Size]:
        """The first and the last pixel that an output sees."""
        times, phase = divmod(output, len(self.first))
        return self.first[phase] + times * self.step, self.last[phase] + times * self.step


Field: TypeAlias = tuple[FieldAxis, ...]


def show_field(field: Field) -> str:
    """The size of a receptive field: `32x32`."""
    return "x".join(str(axis.size) for axis in field)


@dataclass(frozen=True, eq=False)
class ReceptiveFields:
    """What the layers of a network see of its inputs, worked out when first asked."""

    graph: Graph = field(repr=False)

    @cached_property
    def by_layer(self) -> dict[str, Field]:
        """The receptive field of each layer's tensor, by the layer's name."""
        graph = self.graph
        fields: dict[str, Field] = {}
        for node in graph.nodes():
            if isinstance(node.op, Input):
                fields[node.name] = (FieldAxis(),) * (len(node.shape) - 1)
                continue
            reach = node.op.reach(graph.input_shapes(node), node.shape, graph.facts)
            sources = [(fields[name], graph[name].shape) for name in node.inputs]
            fields[node.name] = propagate(reach, sources, node.shape, graph.facts)
        return fields


def propagate(
    reach: Reach, sources: list[tuple[Field, Shape]], output: Shape, facts: Facts
) -> Field:
    """The receptive field of a tensor from those it is made of, each with its shape."""
    fields = [step(reach, field, shape, output, facts) for field, shape in sources]
    fields = [field for field in fields if field]
    if len(fields) < 2:
        return fields[0] if fields else ()
    rank = len(fields[0])
    alike = [field for field in fields if len(field) == rank]
    sizes = output[1:] if len(output) - 1 == rank else (1,) * rank
    return tuple(
        union([field[axis] for field in alike], size, facts) for axis, size in enumerate(sizes)
    )


def step(reach: Reach, field: Field, shape: Shape, output: Shape, facts: Facts) -> Field:
    """One layer's effect on the receptive field of one of its inputs.

    A tensor of another rank than the input's came from one whose outputs all see the same.
    """
    if len(shape) - 1 != len(field):
        return field
    found = []
    for index, (axis, size) in enumerate(zip(field, shape[1:], strict=True)):
        if reach.kind == "everywhere" and (reach.along is None or index in reach.along):
            found.append(everything(axis, size, facts))
        elif reach.kind in ("everywhere", "pointwise"):
            stretched = size == 1 and len(output) == len(shape) and output[index + 1] != 1
            found.append(everything(axis, 1, facts) if stretched else axis)
        elif reach.kind == "parts":
            found.append(divided(axis, size, output[index + 1], facts))
        elif reach.kind == "sampled":
            found.append(sampled(axis, reach.samplings[index], size, output[index + 1], facts))
        else:
            moves = {"window": windowed, "transposed": transposed}
            found.append(moves[reach.kind](axis, reach.axes[index], size, facts))
    return tuple(found)


def everything(axis: FieldAxis, size: Size, facts: Facts) -> FieldAxis:
    """An output that looks at every position of a map of this size."""
    if axis.step == 0:
        return axis
    if isinstance(size, int):
        seen = [axis.seen(position) for position in ends_of(range(size), len(axis.first))]
        end = max(end for _, end in seen if isinstance(end, int))
        return FieldAxis((min(first for first, _ in seen),), (end,), 0)
    phases = len(axis.last)
    last = max(b for b in axis.last if isinstance(b, int)) + (size - 1) // phases * axis.step
    return FieldAxis((min(axis.first),), (facts.simplify(last),), 0)


def windowed(axis: FieldAxis, window: Axis, size: Size, facts: Facts) -> FieldAxis:
    """Output o looks at the positions oS - P, oS - P + d, … to oS - P + d(k - 1)."""
    count = len(axis.first) // gcd(len(axis.first), window.stride)
    starts = [o * window.stride - window.before for o in range(count)]
    taps = [range(first, first + window.extent, window.dilation) for first in starts]
    return looking(axis, taps, count * window.stride)


def transposed(axis: FieldAxis, window: Axis, size: Size, facts: Facts) -> FieldAxis:
    """Output o is written by the positions (o + P - dj)/S that are whole, for the taps j."""
    count = len(axis.first) * window.stride
    if count > MOST_PHASES:
        return everything(axis, size, facts)
    # j and j + period meet the same remainder; the first tap reaches the last position.
    period = window.stride // gcd(window.stride, window.dilation)
    taps = []
    for output in range(count):
        start = output + window.before
        hits = (
            j
            for j in range(min(period, window.kernel))
            if (start - window.dilation * j) % window.stride == 0
        )
        tap = next(hits, None)
        if tap is None:  # between two kernels nothing is written
            last = start // window.stride
            taps.append(range(last, last + 1))
            continue
        last = (start - window.dilation * tap) // window.stride
        times = (window.kernel - 1 - tap) // period
        apart = window.dilation * period // window.stride
        taps.append(range(last - times * apart, last + 1, apart))
    return looking(axis, taps, len(axis.first))


def sampled(
    axis: FieldAxis, sampling: Sampling, size: Size, outputs: Size, facts: Facts
) -> FieldAxis:
    """Output o looks at the pixels around a place of the map, which is one ratio further each."""
    forward, period = sampling.ratio.numerator, sampling.ratio.denominator
    if isinstance(outputs, int) and isinstance(size, int):
        ends = sampling.pixels(0), sampling.pixels(outputs - 1)
        outside = any(end.stop <= 0 or end.start >= size for end in ends)
        if outside or period > outputs:  # the places of all there are, on the edge where outside
            if outputs > MOST_PHASES:
                return everything(axis, size, facts)
            taps = [clipped(sampling.pixels(output), size) for output in range(outputs)]
            return looking(axis, taps, -(-size // len(axis.first)) * len(axis.first))
    times = len(axis.first) // gcd(len(axis.first), forward)
    count = period * times
    if count > MOST_PHASES:
        return everything(axis, size, facts)
    return looking(axis, [sampling.pixels(o) for o in range(count)], forward * times)


def clipped(pixels: range, size: int) -> range:
    """The pixels inside of a map, the edge for those that all lie outside."""
    first, last = (min(max(end, 0), size - 1) for end in (pixels.start, pixels.stop - 1))
    return range(first, last + 1)


def divided(axis: FieldAxis, size: Size, parts: Size, facts: Facts) -> FieldAxis:
    """Part o of n looks at the positions from floor(oW/n) to ceil((o + 1)W/n) - 1."""
    if isinstance(size, Dim) or isinstance(parts, Dim):
        return everything(axis, size, facts)
    common = gcd(size, parts)
    times = len(axis.first) // gcd(len(axis.first), size // common)
    count = parts // common * times
    if count > MOST_PHASES:
        return everything(axis, size, facts)
    taps = [range(o * size // parts, -(-(o + 1) * size // parts)) for o in range(count)]
    return looking(axis, taps, size // common * times)


def looking(axis: FieldAxis, taps: list[range], positions: int) -> FieldAxis:
    """The field of outputs that look at some positions of a map with this field.

    The phases of `taps` begin again after so many positions. Neighbours may see less far than one
    another (behind a dilated deconv), but what one of them sees moves evenly from period to
    period: of many positions the first and the last period tell the ends.
    """
    if axis.step == 0:
        return axis
    phases = len(axis.first)
    advance = axis.step * positions // phases
    seen = [[axis.seen(position) for position in ends_of(tap, phases)] for tap in taps]
    first = tuple(min(begin for begin, _ in row) for row in seen)
    last = tuple(max(end for _, end in row if isinstance(end, int)) for row in seen)
    return shortened(FieldAxis(first, last, advance))


def ends_of(positions: range, phases: int) -> list[int]:
    """Those of some positions that are the first or the last of their phase."""
    if len(positions) <= 2 * phases:
        return [*positions]
    return [*positions[:phases], *positions[-phases:]]


def shortened(axis: FieldAxis) -> FieldAxis:
    """The same field with as few phases as it has."""
    count = len(axis.first)
    for phases in range(1, count):
        if count % phases or axis.step * phases % count:
            continue
        shorter = FieldAxis(axis.first[:phases], axis.last[:phases], axis.step * phases // count)
        if all(shorter.seen(p) == (axis.first[p], axis.last[p]) for p in range(phases, count)):
            return shorter
    return axis


def union(axes: list[FieldAxis], size: Size, facts: Facts) -> FieldAxis:
    """What a join of this size sees along one axis, from the first pixel to the last."""
    if all(axis == axes[0] for axis in axes):
        return axes[0]
    phases = lcm(*(len(axis.first) for axis in axes))
    if len({axis.stride for axis in axes}) > 1:  # no common period, but the map has an end
        phases = size if isinstance(size, int) else MOST_PHASES + 1
    if phases > MOST_PHASES or any(axis.step == 0 for axis in axes):
        axes = [everything(axis, size, facts) for axis in axes]
        return FieldAxis((min(a.first[0] for a in axes),), (latest(axes, facts),), 0)
    seen = [[axis.seen(output) for axis in axes] for output in range(phases)]
    first = tuple(min(begin for begin, _ in row) for row in seen)
    last = tuple(max(end for _, end in row if isinstance(end, int)) for row in seen)
    return shortened(FieldAxis(first, last, max(-int(-a.stride * phases // 1) for a in axes)))


def latest(axes: list[FieldAxis], facts: Facts) -> Size:
    """The last pixel that any of them sees; where nothing tells which, the sum is beyond all."""
    ends = list(dict.fromkeys(axis.last[0] for axis in axes))
    for end in ends:
        if all(facts.decide(end, ">=", other) for other in ends):
            return end
    return sum(ends[1:], ends[0])
