"""What a network costs and sees: parameters, MACs, receptive fields, depth, memory.

The receptive field follows Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional
Neural Networks" (Distill, 2019): with size r, stride j and start s in input pixels, a window of
kernel K (dilated), stride S and padding P makes r + (K - 1)j, jS and s - Pj.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from compiler.dims import Dim, Size, product
from compiler.domain import Facts
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Axis, Reach, Shape

Number: TypeAlias = "Size | Fraction"
BYTES = 4


@dataclass(frozen=True)
class FieldAxis:
    """The receptive field along one axis, in input pixels.

    `size` pixels are seen; neighbouring outputs lie `stride` apart; the first begins at `start`
    (negative: in the padding). A stride of 0 means that every output sees the same. Numbers that
    are whole are ints.
    """

    size: Size
    stride: int | Fraction
    start: Number


Field: TypeAlias = tuple[FieldAxis, ...]


@dataclass(frozen=True)
class Layer:
    """One line of the summary."""

    node: Node
    parameters: int
    macs: Size
    field: Field


@dataclass(frozen=True)
class Analysis:
    """The whole network: its layers in order, and totals.

    `parameters` are learnable values, shared ones once; `trainable` leaves out those whose values
    the definition fixes; `buffers` are running statistics. `peak` is the largest number of bytes
    of float32 activations alive at once, per sample (None when sizes are symbolic).
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    buffers: int
    macs: Size
    depth: int
    peak: int | None

    def field(self, name: str) -> Field | None:
        """The receptive field of a layer's tensor."""
        return next((layer.field for layer in self.layers if layer.node.name == name), None)


def analyse(graph: Graph) -> Analysis:
    """Measure a graph."""
    layers: list[Layer] = []
    fields: dict[str, Field] = {}
    depth: dict[str, int] = {}
    macs: Size = 0
    totals = {"parameters": 0, "trainable": 0, "buffers": 0}
    seen: set[str] = set()
    for node in graph.nodes():
        shapes = graph.input_shapes(node)
        if isinstance(node.op, Input):
            fields[node.name] = (FieldAxis(1, 1, 0),) * (len(node.shape) - 1)
        else:
            reach = node.op.reach(shapes, node.shape, graph.facts)
            fields[node.name] = propagate(
                reach,
                [(fields[name], graph[name].shape) for name in node.inputs],
                node.shape,
                graph.facts,
            )
        owned = 0
        if node.parameters_of not in seen:
            for weight in graph.weights(node):
                seen.add(node.parameters_of)
                owned += 0 if weight.buffer else weight.size
                totals["buffers"] += weight.size if weight.buffer else 0
                fixed = weight.buffer or weight.values is not None
                totals["trainable"] += 0 if fixed else weight.size
        totals["parameters"] += owned
        cost = node.op.macs(shapes, node.shape)
        macs = macs + cost
        depth[node.name] = max((depth[n] for n in node.inputs), default=0) + node.op.holds_weights
        layers.append(Layer(node, owned, cost, fields[node.name]))
    return Analysis(
        tuple(layers),
        totals["parameters"],
        totals["trainable"],
        totals["buffers"],
        macs,
        max(depth.values(), default=0),
        peak_memory(graph),
    )


def propagate(
    reach: Reach, sources: list[tuple[Field, Shape]], output: Shape, facts: Facts
) -> Field:
    """The receptive field of a tensor from those it is made of."""
    fields = [step(reach, field, shape, output, facts) for field, shape in sources]
    fields = [field for field in fields if field]
    if len(fields) < 2:
        return fields[0] if fields else ()
    rank = len(fields[0])
    alike = [field for field in fields if len(field) == rank]
    return tuple(union([field[axis] for field in alike], facts) for axis in range(rank))


def step(reach: Reach, field: Field, shape: Shape, output: Shape, facts: Facts) -> Field:
    """One layer's effect on the receptive field of one of its inputs."""
    if not field:
        return field
    spatial = shape[1:] if len(shape) - 1 == len(field) else (1,) * len(field)
    if reach.kind == "everywhere":
        return tuple(
            everything(axis, size, facts) for axis, size in zip(field, spatial, strict=True)
        )
    if reach.kind == "pointwise" or len(reach.axes) != len(field):
        return field
    moves = {"window": windowed, "transposed": transposed, "resample": resampled}
    return tuple(
        moves[reach.kind](axis, window, facts)
        for axis, window in zip(field, reach.axes, strict=True)
    )


def whole(value: int | Fraction) -> int | Fraction:
    """A fraction that is whole as an int."""
    return int(value) if value.denominator == 1 else value


def extended(axis: FieldAxis, steps: Size, facts: Facts) -> Size:
    """`size + steps * stride`, rounded up to whole pixels."""
    if isinstance(steps, Dim) or isinstance(axis.size, Dim):
        return (
            facts.simplify(axis.size + steps * max(1, -(-axis.stride // 1)))
            if axis.stride
            else axis.size
        )
    return -int(-(axis.size + steps * axis.stride) // 1)


def everything(axis: FieldAxis, size: Size, facts: Facts) -> FieldAxis:
    """An output that looks at every position of the map."""
    return FieldAxis(extended(axis, size - 1, facts), 0, axis.start)


def windowed(axis: FieldAxis, window: Axis, facts: Facts) -> FieldAxis:
    """r + (K - 1)j, jS, s - Pj."""
    start = moved(axis.start, -window.before * axis.stride)
    return FieldAxis(extended(axis, window.extent - 1, facts), axis.stride * window.stride, start)


def transposed(axis: FieldAxis, window: Axis, facts: Facts) -> FieldAxis:
    """An output of a transposed window is written by at most ceil(K/S) inputs."""
    touched = -(-window.extent // window.stride)
    # Output 0 is written by inputs from ceil((P - K + 1)/S) on.
    first = -((window.extent - 1 - window.before) // window.stride)
    start = moved(axis.start, first * axis.stride)
    stride = whole(Fraction(axis.stride, window.stride))
    return FieldAxis(extended(axis, touched - 1, facts), stride, start)


def resampled(axis: FieldAxis, window: Axis, facts: Facts) -> FieldAxis:
    """Scaling by `stride`, each output reading `kernel` neighbouring pixels."""
    start = moved(axis.start, -(window.kernel - 1) * axis.stride)
    stride = whole(Fraction(axis.stride, window.stride))
    return FieldAxis(extended(axis, window.kernel - 1, facts), stride, start)


def moved(start: Number, by: int | Fraction) -> Number:
    """A start some pixels further on."""
    if isinstance(start, Dim):
        return start + int(by) if by.denominator == 1 else start
    return whole(start + by)


def union(axes: list[FieldAxis], facts: Facts) -> FieldAxis:
    """What a join sees along one axis: from the earliest start to the latest end."""
    first = axes[0]
    if all(axis == first for axis in axes):
        return first
    stride = max(axis.stride for axis in axes)
    spans = [
        (axis.start, axis.start + axis.size)
        for axis in axes
        if not isinstance(axis.start, Dim) and not isinstance(axis.size, Dim)
    ]
    if len(spans) < len(axes):
        sizes = [axis.size for axis in axes]
        largest = next((s for s in sizes if all(facts.decide(s, ">=", t) for t in sizes)), sizes[0])
        return FieldAxis(largest, stride, first.start)
    start = min(begin for begin, _ in spans)
    end = max(end for _, end in spans)
    return FieldAxis(-int(-(end - start) // 1), stride, start)


def peak_memory(graph: Graph) -> int | None:
    """The most bytes of activations alive at once, a tensor freed after its last use."""
    nodes = list(graph.nodes())
    last: dict[str, int] = {}
    for index, node in enumerate(nodes):
        last[node.name] = index
        for source in node.inputs:
            last[source] = index
    for name in graph.outputs.values():
        last[name] = len(nodes)
    ending: dict[int, list[str]] = {}
    for name, index in last.items():
        ending.setdefault(index, []).append(name)
    live = peak = 0
    bytes_of: dict[str, int] = {}
    for index, node in enumerate(nodes):
        size = product(node.shape)
        if isinstance(size, Dim):
            return None
        bytes_of[node.name] = size * BYTES
        live += size * BYTES
        peak = max(peak, live)
        live -= sum(bytes_of[name] for name in ending.get(index, ()))
    return peak
