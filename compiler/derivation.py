"""How a layer's numbers came about: the formulas with their numbers, in words."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from compiler.analysis import LayerCost
from compiler.dims import Size
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Axis, Shape, show_count, show_shape
from compiler.ops.shapes import axis_names
from compiler.receptive_field import Field, show_field


def derive(graph: Graph, layer: LayerCost) -> list[str]:
    """Lines such as `height: floor((224 + 3 + 3 - 7)/2) + 1 = 112, 1 pixel left over`."""
    node = layer.node
    if isinstance(node.op, Input):
        return [f"given: {show_shape(node.shape)}"]
    return [
        *sizes(graph, node),
        *parameters(graph, layer),
        *multiplications(graph, layer),
        *receptive_field(layer.field),
    ]


def sizes(graph: Graph, node: Node) -> Iterator[str]:
    """The output-size formula along each axis, or how the shapes of branches go together."""
    shapes = graph.input_shapes(node)
    reach = node.op.reach(shapes, node.shape, graph.facts)
    if not shapes:
        yield f"given: {show_shape(node.shape)}"
        return
    if len(shapes) > 1:
        yield " and ".join(map(show_shape, shapes)) + f" make {show_shape(node.shape)}"
        return
    names = axis_names(len(shapes[0]) - 1)
    rows = list(zip(names, shapes[0][1:], node.shape[1:], reach.axes, strict=False))
    formula = {"window": window, "transposed": transposed}.get(reach.kind)
    if formula is None or len(reach.axes) != len(names) or len(node.shape) != len(shapes[0]):
        yield f"{show_shape(shapes[0])} makes {show_shape(node.shape)}"
        return
    alike = len({(size, axis) for _, size, _, axis in rows}) == 1
    for name, size, made, axis in rows[:1] if alike else rows:
        yield f"{' and '.join(names) if alike else name}: {formula(size, made, axis)}"


def window(size: Size, made: Size, axis: Axis) -> str:
    """floor((W + P_before + P_after - K)/S) + 1, and the pixels that no window reaches."""
    overhang = f" + {axis.overhang}" if axis.overhang else ""
    text = (
        f"floor(({size} + {axis.before} + {axis.after}{overhang} - {axis.extent})"
        f"/{axis.stride}) + 1 = {made}"
    )
    if axis.dilation > 1:
        text += f", kernel {axis.dilation}*({axis.kernel} - 1) + 1 = {axis.extent}"
    if axis.overhang:
        text += f", ceil adds {axis.overhang}"
    if isinstance(size, int):
        left = (size + axis.before + axis.after + axis.overhang - axis.extent) % axis.stride
        lost = max(left - axis.after, 0)
        if left:
            text += f", {left} left over"
            text += f", {lost} of them pixels" if lost else ", all padding"
    return text


def transposed(size: Size, made: Size, axis: Axis) -> str:
    """(W - 1)S - P_before - P_after + K, and what output_pad adds."""
    text = f"({size} - 1)*{axis.stride} - {axis.before} - {axis.after} + {axis.extent}"
    plain = (size - 1) * axis.stride - axis.before - axis.after + axis.extent
    extra = made - plain
    return f"{text}{f' + {extra}' if extra != 0 else ''} = {made}"


def parameters(graph: Graph, layer: LayerCost) -> Iterator[str]:
    """The arrays that the layer holds, each with its count."""
    weights = [w for w in graph.weights(layer.node) if not w.buffer]
    if not weights:
        return
    rendered = " and ".join(f"{w.name} {show_shape(w.shape)} = {w.size:,}" for w in weights)
    shared = layer.node.parameters_of != layer.node.name
    owner = f", shared with {layer.node.parameters_of}" if shared else ""
    total = f", together {layer.parameters:,}" if len(weights) > 1 and not shared else ""
    yield f"parameters: {rendered}{total}{owner}"


def multiplications(graph: Graph, layer: LayerCost) -> Iterator[str]:
    """The multiply-accumulates as taps times positions."""
    if layer.macs == 0:
        return
    positions = counted_positions(graph, layer.node)
    count = prod(positions)
    macs = show_count(layer.macs)
    if isinstance(layer.macs, int) and isinstance(count, int) and layer.macs % count == 0:
        where = "*".join(map(str, positions)) or "1"
        yield f"MACs: {layer.macs // count:,} multiplications at {where} positions = {macs}"
    else:
        yield f"MACs: {macs}"


def counted_positions(graph: Graph, node: Node) -> Shape:
    """The positions at which the kernel is laid: of the output, or of a deconv's input."""
    (shape,) = graph.input_shapes(node)[:1]
    reach = node.op.reach(graph.input_shapes(node), node.shape, graph.facts)
    return shape[1:] if reach.kind == "transposed" else node.shape[1:]


def receptive_field(field: Field) -> Iterator[str]:
    """Size, stride and start, in input pixels."""
    if not field:
        return
    size = show_field(field)
    stride = "x".join(str(axis.stride) for axis in field)
    start = ", ".join(str(axis.start) for axis in field)
    if all(axis.stride == 0 for axis in field):
        yield f"receptive field: {size}, the same for every output"
    else:
        yield f"receptive field: {size}, {stride} apart, the first from pixel {start}"
