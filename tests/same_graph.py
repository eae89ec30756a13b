"""When two graphs are the same net, whatever words and layers each has for it.

Two graphs are the same where their inputs, outputs and arrays are called alike and have the same
shapes and numbers, they need as many multiply-accumulates, and each output comes by the same
layers: the same op with the same arguments, shape, arrays and inputs, down to the graph's inputs.
Read as the same is only what is the same number by number:

- what hands on what it gets when run: identity, dropout, a join of one branch;
- what only moves values (reshape, transpose, slice, shuffle, nearest pixels …): a run of such
  layers is known by where each of its values comes from, none where all stay in their place;
- the words for a window: `pad="same"` and its pixels, `ceil` and the pixels that it adds, a pooling
  to so many parts that are windows alike, `upsample` and `resize` to that size, by whatever factor
  where that is one pixel;
- a reduction that keeps its axes, of size 1, and one that does not;
- what is worked out from fixed numbers alone, which is fixed numbers;
- factors and offsets in a row, `normalize`, fixed tensors that are multiplied, added or compared;
- the order of what is added, multiplied or compared, what is compared twice, a mean as a sum and a
  factor, a square as a product, and a concat within a concat;
- what is the same layer by two words: a slope for each channel, of one channel, and one for all; a
  norm of as many groups as channels and of each channel; `clip` from 0 to 6 and `relu6`.

Not compared is what a module in evaluation does not have: how likely a dropout drops, how arrays
were drawn, pictures and class names.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import fields, replace
from functools import reduce
from hashlib import sha256
from itertools import groupby
from typing import Any

import numpy as np

from compiler.dims import evaluate
from compiler.graph import Graph, Input, Node
from compiler.ops.activate import Clip, PRelu, ThresholdedRelu
from compiler.ops.arguments import Extent
from compiler.ops.arrays import nested_map
from compiler.ops.base import Axis, Op, Shape, Shapes
from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from compiler.ops.connect import Dense, Identity
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.elementary import Power
from compiler.ops.filtering import Filter, FixedKernel, WeightedPool
from compiler.ops.gathering import Take
from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool
from compiler.ops.joins import Add, Concat, Div, Join, Max, Mean, Min, Mul, Sub
from compiler.ops.normalise import GroupNorm, LayerNorm
from compiler.ops.pooling import AvgPool, Pool, tap_counts
from compiler.ops.reducing import Reduce, ReduceMax, ReduceMean
from compiler.ops.resampling import Resize
from compiler.ops.reshape import Flatten, Reshape, Transpose
from compiler.ops.scale import Normalize, Scale, Shift
from compiler.ops.shapes import per_sample_axes, per_sample_axis
from compiler.ops.slicing import Slice, Split
from compiler.ops.spatial import Crop, Pad, Upsample
from compiler.ops.tensors import Const
from grammar.records import dataclass
from runtime.reference import run_kernel, with_sizes

MOVERS = (
    *(Flatten, Reshape, Transpose, Crop, Slice, Split),
    *(Channels, ChannelShuffle, PixelShuffle, PixelUnshuffle),
)
MODES = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}
SUMS = (Add, Mul, Max, Min)  # in whatever order and grouping
NOT_COMPARED = ("init", "weight", "picture")


def difference(graph: Graph, other: Graph, sizes: Mapping[str, int]) -> str:
    """In what the second graph is another net than the first at these sizes; "" for the same."""
    one, two = fixed(graph, sizes), fixed(other, sizes)
    outside = (
        apart("inputs", shapes_of_inputs(one), shapes_of_inputs(two))
        or apart("outputs", shapes_of_outputs(one), shapes_of_outputs(two))
        or apart("arrays", shapes_of_arrays(one), shapes_of_arrays(two))
        or apart("numbers", numbers_of_arrays(one), numbers_of_arrays(two))
    )
    if outside:
        return outside
    a, b = made_by(one), made_by(two)
    counts = macs(one, a), macs(two, b)
    return layers_apart(one, two, a, b) or apart("multiply-accumulates", *counts)


def fixed(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """The graph with numbers for its symbolic sizes."""
    nodes = [
        replace(
            node,
            op=with_sizes(node.op, sizes),
            shape=tuple(evaluate(size, sizes) for size in node.shape),
        )
        for node in graph.nodes()
    ]
    return graph.rebuilt(nodes)


def apart(what: str, one: Any, two: Any) -> str:
    """What two tables, or numbers, differ in."""
    if one == two:
        return ""
    if not isinstance(one, dict):
        return f"{what}: {one} -> {two}"
    names = [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]
    rows = [f"{name} {one.get(name)} -> {two.get(name)}" for name in names[:3]]
    return f"{what}: {'; '.join(rows) or f'in the order {[*one]} -> {[*two]}'} ({len(names)})"


def shapes_of_inputs(graph: Graph) -> dict[str, Any]:
    """Each input's shape and type."""
    return {node.name: (node.shape, node.op.dtype) for node in graph.inputs()}  # type: ignore[attr-defined]


def shapes_of_outputs(graph: Graph) -> dict[str, Shape]:
    """Each output's shape; one alone has the name that its export gave it."""
    outputs = {name: graph[node].shape for name, node in graph.outputs.items()}
    return outputs if len(outputs) > 1 else {"output": next(iter(outputs.values()))}


def shapes_of_arrays(graph: Graph) -> dict[str, Shape]:
    """The shape of each array, of fixed tensors only if the graph has no numbers for them."""
    held = {
        node.array(weight.name): weight.shape
        for node in graph.upstream(graph.outputs.values())
        for weight in graph.weights(node)
        if not isinstance(node.op, Const)
    }
    return dict(sorted(held.items()))


def numbers_of_arrays(graph: Graph) -> dict[str, str]:
    """What each array holds."""
    return {name: digest(np.float32(graph.values[name])) for name in shapes_of_arrays(graph)}


def macs(graph: Graph, made: dict[str, Made]) -> Any:
    """The multiply-accumulates of all layers that lead to an output.

    What a layer works out twice from the same counts once: exporters see to that.
    """
    counts = {
        (made[node.name].key(), node.op): node.op.macs(graph.input_shapes(node), node.shape)
        for node in graph.upstream(graph.outputs.values())
    }
    return sum(counts.values())


def digest(array: Any) -> str:
    """A short name for numbers in a shape."""
    return sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16] + str(array.shape)


@dataclass(frozen=True)
class Made:
    """What a layer makes: values of a `root` layer, all in place or as `places` says.

    `numbers` are there where these are fixed; `parts` are what a join joins, behind its word.
    """

    root: Hashable
    shape: Shape
    root_shape: Any
    places: Any = None
    numbers: Any = None
    parts: tuple[Any, ...] = ()

    def where(self) -> Any:
        """The place in the root's tensor of each value."""
        if self.places is not None:
            return self.places
        return np.arange(float(np.prod(self.root_shape))).reshape(self.root_shape)

    def rearranged(self, places: Any) -> Made:
        """The root's values at these places; factors and offsets move along with theirs."""
        flat = places.reshape(-1)
        still = places.shape == self.root_shape and np.array_equal(flat, np.arange(flat.size))
        if self.parts[:1] == ("affine",) and self.places is None and not still:
            base, *numbers = self.parts[1:]
            moved, factor, offset = (
                np.broadcast_to(values, self.root_shape).reshape(-1)[flat.astype(int)]
                for values in (base.where(), *numbers)
            )
            base = base.rearranged(moved.reshape(places.shape))
            shape = places.shape
            return affine(base, factor.reshape(shape), offset.reshape(shape), shape)
        return replace(self, shape=places.shape, places=None if still else places)

    def key(self, *, bare: bool = False) -> Hashable:
        """The same for the same values; `bare` without axes of size 1 in front, which stretch."""
        if self.numbers is not None:
            shape: Any = stripped(self.shape) if bare else self.shape
            numbers: Any = np.float32(self.numbers).reshape(shape)
            if bare and numbers.size and np.all(numbers == numbers.flat[0]):
                numbers = numbers.flat[:1]
            return "const", digest(numbers)
        if self.places is None:
            return self.root
        shape = stripped(self.shape) if bare else self.shape
        flat = np.arange(self.places.size)
        if bare and shape == stripped(self.root_shape):
            same = np.array_equal(self.places.reshape(-1), flat)
            return self.root if same else (self.root, digest(self.places.reshape(shape)))
        return self.root, digest(self.places.reshape(shape))


def stripped(shape: Shape) -> Shape:
    """A shape without the ones in front."""
    first = next((place for place, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]


def layers_apart(one: Graph, two: Graph, a: dict[str, Made], b: dict[str, Made]) -> str:
    """The first layer of the second graph that the first has not, where their outputs differ."""
    ends = [[made[name].key() for name in g.outputs.values()] for g, made in ((one, a), (two, b))]
    if ends[0] == ends[1]:
        return ""
    return (
        f"layers: {shown(one, first_without(one, a, b))} -> {shown(two, first_without(two, b, a))}"
    )


def first_without(graph: Graph, made: dict[str, Made], others: dict[str, Made]) -> Node | None:
    """The first layer that leads to an output and makes what no layer of the other graph makes."""
    known = {other.root for other in others.values()} | {other.key() for other in others.values()}
    nodes = graph.upstream(graph.outputs.values())
    first = next((node for node in nodes if made[node.name].root not in known), None)
    return first or next((node for node in nodes if made[node.name].key() not in known), None)


def shown(graph: Graph, node: Node | None) -> str:
    """A layer as a message names it."""
    if node is None:
        return "none"
    shapes = [graph[name].shape for name in node.inputs]
    return f"{node.name} = {node.op!r:.300} {[*node.inputs]} {shapes} {node.shape}"


def made_by(graph: Graph) -> dict[str, Made]:
    """What each layer makes."""
    found: dict[str, Made] = {}
    for node in graph.nodes():
        found[node.name] = make(graph, node, [found[name] for name in node.inputs])
    return found


def make(graph: Graph, node: Node, inputs: list[Made]) -> Made:
    """What one layer makes of what the ones before it made."""
    op, shape = node.op, node.shape
    if isinstance(op, Input):
        name = node.name if len(graph.inputs()) > 1 else "input"
        return Made(("input", name), shape, shape)
    if isinstance(op, Const):
        held = graph.values[node.name] if op.values is None else np.array(op.values)
        return Made("const", shape, shape, numbers=np.float32(held))
    if inputs and all(made.numbers is not None for made in inputs):
        given = tuple(made.numbers.astype(np.float64)[None] for made in inputs)
        if not graph.weights(node):
            return Made("const", shape, shape, numbers=run_kernel(op, given, {})[0])
    if isinstance(op, Identity) or (isinstance(op, Join | Concat) and len(inputs) == 1):
        return inputs[0]
    if isinstance(op, Take) and inputs[1].numbers is not None:
        index = inputs[1].numbers.astype(np.int64)
        return inputs[0].rearranged(inputs[0].where().take(index, axis=op.axis))
    if moves(op):
        return inputs[0].rearranged(run_kernel(op, (inputs[0].where()[None],), {})[0])
    if isinstance(op, Scale | Shift | Normalize):
        return affine(inputs[0], *per_value(op, shape), shape)
    if isinstance(op, WeightedPool):
        whole = float(np.sum(op.kernel_values))
        values = nested_map(lambda value: value / whole, op.kernel_values)
        return make(
            graph, replace(node, op=Filter(values, op.stride or Extent(np.shape(values)))), inputs
        )
    if isinstance(op, Conv | Filter | Pad) and border_of(op) != "zero":
        return bordered(graph, node, inputs[0])
    if isinstance(op, Upsample | Pad | PadChannels | Resize) and is_still(graph, node):
        return inputs[0]
    if is_pooling(op, graph.input_shapes(node)) and shape == graph.input_shapes(node)[0]:
        return inputs[0]
    if isinstance(op, Conv | Filter) and is_padded(inputs[0]):
        return widened(graph, node, inputs[0])
    if isinstance(op, Deconv) and any(axis.before or axis.after for axis in op_axes(graph, node)):
        return cut(graph, node, inputs)
    if isinstance(op, Reduce) and not op.keep:
        stays = replace(op, keep=True)
        axes = replace(node, op=stays, shape=stays.infer(graph.input_shapes(node), graph.facts))
        kept = make(graph, axes, inputs)
        return kept.rearranged(kept.where().reshape(shape))
    if isinstance(op, Mean):
        total = make(graph, replace(node, op=Add()), inputs)
        return affine(total, np.array(1 / len(inputs)), np.array(0.0), shape)
    arrays = tuple(node.array(weight.name) for weight in graph.weights(node))
    shapes = graph.input_shapes(node)
    if isinstance(op, Concat):
        return joined(inputs, per_sample_axis(op.axis, shapes[0], op.name), shape)
    if isinstance(op, Power) and op.exponent == 2:
        return make(graph, replace(node, op=Mul()), [*inputs, *inputs])
    if isinstance(op, Max | Min):
        inputs = with_one_fixed(op, inputs)
    fixed_ones = joined_with_fixed(graph, node, inputs)
    if fixed_ones is not None:
        return fixed_ones
    keys = [made.key(bare=isinstance(op, Join)) for made in inputs]
    if isinstance(op, SUMS):
        pairs = zip(inputs, keys, strict=True)
        keys = sorted((k for made, key in pairs for k in terms(made, key, op)), key=str)
    if isinstance(op, Max | Min):
        keys = sorted({*keys}, key=str)
        if len(keys) == 1 and inputs[0].shape == shape and keys[0] == inputs[0].key(bare=True):
            return inputs[0]
    root = hashed(meaning(op, shapes, shape, graph), arrays, keys, shape)
    parts: tuple[Any, ...] = (op.name, *keys) if isinstance(op, SUMS) else ()
    if isinstance(op, Pad):
        parts = ("pad", op_axes(graph, node), inputs[0])
    return Made(root, shape, shape, parts=parts)


def per_value(op: Scale | Shift | Normalize, shape: Shape) -> tuple[Any, Any]:
    """The factor of each value of a sample and what is added then."""

    def along_channels(value: Any) -> Any:
        return np.float64(np.float32(value)).reshape(-1, *(1,) * (len(shape) - 1))

    if isinstance(op, Normalize):
        mean, factor = along_channels(op.mean), 1 / along_channels(op.std)
        return factor, -mean * factor
    if isinstance(op, Scale):
        return along_channels(op.factor), np.array(0.0)
    return np.array(1.0), along_channels(op.offset)


def affine(made: Made, factor: Any, offset: Any, shape: Any) -> Made:
    """What is multiplied and added to by fixed numbers: those of several such layers as one."""
    whole = made.parts[:1] == ("affine",) and made.places is None
    base, first, more = made.parts[1:] if whole else (made, 1.0, 0.0)
    factor, offset = np.broadcast_to(first * factor, shape), more * factor + offset
    offset = np.broadcast_to(offset, shape)
    if base.shape == shape and np.all(nearly(factor) == 1) and not np.any(nearly(offset)):
        return base
    numbers = [digest(nearly(np.array(values))) for values in (factor, offset)]
    root = hashed("affine", base.key(bare=True), numbers, shape)
    return Made(root, shape, shape, parts=("affine", base, factor, offset))


def nearly(values: Any) -> Any:
    """Numbers to three places, since those that were put together are rounded in another order."""
    mantissa, exponent = np.frexp(np.float64(values))
    return np.float32(np.ldexp(np.round(mantissa * 4096) / 4096, exponent)) + 0.0


def joined_with_fixed(graph: Graph, node: Node, inputs: list[Made]) -> Made | None:
    """What a join with fixed numbers makes of what else it joins; None for any other layer."""
    op, shape = node.op, node.shape
    held: Any = [np.float64(made.numbers) for made in inputs if made.numbers is not None]
    rest = [made for made in inputs if made.numbers is None]
    if isinstance(op, Sub | Div) and len(inputs) == 2 and held:
        (number,) = held
        if isinstance(op, Div) and (inputs[0] not in rest or not np.all(number)):
            return None
        if isinstance(op, Div):
            return affine(rest[0], 1 / number, np.array(0.0), shape)
        first = inputs[0] is rest[0]
        return affine(
            rest[0], np.array(1.0 if first else -1.0), -number if first else number, shape
        )
    if not isinstance(op, Add | Mul):
        return None
    total: Any = np.array(1.0 if isinstance(op, Mul) else 0.0)
    for number in held:
        total = total * number if isinstance(op, Mul) else total + number
    found: list[Made] = []
    for made in rest:
        if made.parts[:1] == ("affine",) and made.places is None:
            base, factor, offset = made.parts[1:]
            if isinstance(op, Mul) and not np.any(offset):
                held, total, made = [*held, factor], total * factor, base
            elif isinstance(op, Add) and np.all(factor == 1):
                held, total, made = [*held, offset], total + offset, base
        found.append(made)
    if not held:
        return None
    shapes: list[Any] = [made.shape for made in found]
    inner = np.broadcast_shapes(*shapes)
    base = found[0]
    if len(found) > 1:
        base = make(graph, replace(node, shape=inner), found)
    if isinstance(op, Mul):
        return affine(base, total, np.array(0.0), shape)
    return affine(base, np.array(1.0), total, shape)


def with_one_fixed(op: Max | Min, inputs: list[Made]) -> list[Made]:
    """What is compared, of several fixed tensors the one that they come to."""
    held = [made.numbers for made in inputs if made.numbers is not None]
    if len(held) < 2:
        return inputs
    chosen = reduce(np.maximum if isinstance(op, Max) else np.minimum, held)
    rest = [made for made in inputs if made.numbers is None]
    return [*rest, Made("const", chosen.shape, chosen.shape, numbers=chosen)]


def is_still(graph: Graph, node: Node) -> bool:
    """Whether a pad adds nothing, and a map at its own size has each pixel in its place."""
    (given,) = graph.input_shapes(node)
    sizes: Any = given[1:] if isinstance(node.op, Resize) else ()
    reach = node.op.reach((given,), node.shape, graph.facts)
    pixels = zip(sizes, reach.samplings, strict=bool(sizes))
    moved = any(s.ratio * place + s.offset != place for size, s in pixels for place in range(size))
    return given == node.shape and not moved


def border_of(op: Conv | Filter | Pad) -> str:
    """What the pixels around a map hold."""
    return op.mode if isinstance(op, Pad) else op.pad_mode


def op_axes(graph: Graph, node: Node) -> tuple[Axis, ...]:
    """The windows of a layer."""
    return node.op.reach(graph.input_shapes(node), node.shape, graph.facts).axes


def is_padded(made: Made) -> bool:
    """Whether these are a map between zeros, all in place."""
    return made.parts[:1] == ("pad",) and made.places is None


def widened(graph: Graph, node: Node, made: Made) -> Made:
    """What a window makes of a map between zeros, which are its own pads as well."""
    assert isinstance(node.op, Conv | Filter)
    _, around, source = made.parts
    pairs = zip(op_axes(graph, node), around, strict=True)
    pad = tuple((own.before + more.before, own.after + more.after) for own, more in pairs)
    given = replace(graph[node.inputs[0]], shape=source.shape)
    return make(graph.rebuilt([given]), replace(node, op=replace(node.op, pad=pad)), [source])


def cut(graph: Graph, node: Node, inputs: list[Made]) -> Made:
    """What a deconv makes, as a part of what it makes without the pads that it cuts away."""
    assert isinstance(node.op, Deconv)
    pairs = [(axis.before, axis.after) for axis in op_axes(graph, node)]
    sizes: list[Any] = [*node.shape]
    whole = (sizes[0], *(s + a + b for s, (a, b) in zip(sizes[1:], pairs, strict=True)))
    made = make(graph, replace(node, op=replace(node.op, pad=0), shape=whole), inputs)
    parts = [slice(a, a + s) for s, (a, _) in zip(sizes[1:], pairs, strict=True)]
    return made.rearranged(made.where()[(slice(None), *parts)])


def bordered(graph: Graph, node: Node, made: Made) -> Made:
    """What a window makes of a map whose border repeats its values: the window over that map."""
    op = node.op
    assert isinstance(op, Conv | Filter | Pad)
    given = graph.input_shapes(node)[0]
    axes = op.axes(given[1:], graph.facts) or ()
    pairs = [(0, 0), *((axis.before, axis.after) for axis in axes)]
    mode = MODES[border_of(op)]
    wide = made.rearranged(np.pad(made.where(), pairs, mode=mode))  # type: ignore[call-overload]
    if isinstance(op, Pad):
        return wide
    plain = replace(op, pad=0, pad_mode="zero")
    source = replace(graph[node.inputs[0]], shape=wide.shape)
    return make(graph.rebuilt([source]), replace(node, op=plain), [wide])


def terms(made: Made, key: Hashable, op: Op) -> tuple[Hashable, ...]:
    """What is added, or multiplied or compared, where one of the branches is such a join itself."""
    return made.parts[1:] if made.parts[:1] == (op.name,) and made.places is None else (key,)


def joined(inputs: list[Made], axis: int, shape: Shape) -> Made:
    """The parts one behind the other; those that are parts of one tensor are its values moved."""
    pieces: list[Made] = []
    for made in inputs:
        again = made.places is None and made.parts[:2] == ("concat", axis)
        pieces += made.parts[2:] if again else (made,)
    runs = [[*run] for _, run in groupby(pieces, lambda made: (made.root, made.numbers is None))]
    pieces = [
        run[0].rearranged(np.concatenate([made.where() for made in run], axis))
        if len(run) > 1 and run[0].numbers is None
        else made
        for run in runs
        for made in (run[:1] if run[0].numbers is None else run)
    ]
    if len(pieces) == 1:
        return pieces[0]
    whole = affine_as_one(pieces, axis, shape)
    if whole is not None:
        return whole
    root = hashed("concat", axis, [made.key() for made in pieces], shape)
    return Made(root, shape, shape, parts=("concat", axis, *pieces))


def affine_as_one(pieces: Sequence[Made], axis: int, shape: Shape) -> Made | None:
    """Parts with factors and offsets as the parts, and then these; None where there are none."""
    apart = [
        made.parts[1:]
        if made.parts[:1] == ("affine",) and made.places is None
        else (made, 1.0, 0.0)
        for made in pieces
    ]
    bases = [base for base, _, _ in apart]
    pairs = [*zip(bases, pieces, strict=True)]
    alike = all(made.numbers is None and base.shape == made.shape for base, made in pairs)
    if not alike or all(base is made for base, made in pairs):
        return None
    factor, offset = (
        np.concatenate([np.broadcast_to(n, base.shape) for base, n in of_each], axis)
        for of_each in (
            [(base, factor) for base, factor, _ in apart],
            [(base, offset) for base, _, offset in apart],
        )
    )
    return affine(joined(bases, axis, shape), factor, offset, shape)


def hashed(*parts: Any) -> str:
    """A short name for what a layer computes."""
    return sha256(repr(parts).encode()).hexdigest()[:24]


def moves(op: Op) -> bool:
    """Whether each value that an op makes is one of those that it gets."""
    nearest = isinstance(op, Upsample | Resize) and op.mode == "nearest"
    return nearest or isinstance(op, MOVERS)


def meaning(op: Op, inputs: Shapes, output: Shape, graph: Graph) -> Hashable:
    """What an op computes, in numbers."""
    spatial: list[Any] = [*zip(inputs[0][1:], output[1:], strict=False)] if inputs else []
    reach = op.reach(inputs, output, graph.facts) if inputs else None
    if isinstance(op, Pool | Conv | FixedKernel):
        assert reach is not None
        axes = tuple(window(a, *sizes) for a, sizes in zip(reach.axes, spatial, strict=True))
        if isinstance(op, FixedKernel):
            values = np.array(op.kernel_values)
            values = values / values.sum() if isinstance(op, WeightedPool) else values
            return "filter", axes, digest(np.float32(values)), getattr(op, "pad_mode", "zero")
        if isinstance(op, AvgPool):
            pairs = zip(inputs[0][1:], reach.axes, strict=True)
            return op.name, axes, tuple(tuple(tap_counts(s, a, op.count_pad)) for s, a in pairs)
        return op.name, axes, arguments(op, ("kernel", "stride", "pad", "dilation", "ceil"))
    if isinstance(op, Deconv):
        assert reach is not None
        return op.name, reach.axes, op.groups, op.bias
    if isinstance(op, Pad):
        assert reach is not None
        return op.name, reach.axes, op.mode
    if is_pooling(op, inputs):
        word = "maxpool" if op.name in ("gmp", "adaptive_maxpool", "reduce_max") else "avgpool"
        if all(size % made == 0 for size, made in spatial):
            parts = tuple(Axis(size // made, size // made) for size, made in spatial)
            axes = tuple(window(a, *s) for a, s in zip(parts, spatial, strict=True))
            counts = tuple((a.kernel,) for a in parts)
            return (word, axes, counts if word == "avgpool" else ())
        return word, "parts", tuple(spatial)
    if isinstance(op, Resize | Upsample):
        assert reach is not None
        made = zip(reach.samplings, output[1:], strict=True)  # to one pixel no step leads
        samplings = [(s.ratio if size != 1 else 0, s.offset, s.mode) for s, size in made]
        return "resample", rounded([(float(r), float(o), m) for r, o, m in samplings]), output
    if isinstance(op, Clip) and (op.lo, op.hi) == (0, 6):
        return "relu6", ()
    if isinstance(op, GroupNorm) and op.groups == inputs[0][0]:
        return "instancenorm", arguments(op, ("groups",))
    if isinstance(op, ThresholdedRelu) and op.threshold == 0:
        return "relu", ()
    if isinstance(op, PRelu) and inputs[0][0] == 1:
        return op.name
    if isinstance(op, Dense):
        return op.name, op.along(inputs[0]), op.bias
    if isinstance(op, LayerNorm | Reduce):
        places = per_sample_axes(op.axis, inputs[0], op.name)
        return op.name, places, arguments(op, ("axis", "keep"))
    axis = getattr(op, "axis", None)
    if axis is not None:
        return op.name, per_sample_axis(axis, inputs[0], op.name), arguments(op, ("axis",))
    return op.name, arguments(op)


def is_pooling(op: Op, inputs: Shapes) -> bool:
    """Whether an op is a pooling to so many parts, as a mean over whole spatial axes is."""
    if isinstance(op, ReduceMean | ReduceMax):
        return op.keep and len(inputs[0]) > 1 and 0 not in op.places(inputs[0])
    return isinstance(op, GlobalAveragePool | AdaptiveAvgPool)


def window(axis: Axis, size: int, made: int) -> tuple[int, ...]:
    """Where each window lies on an axis of so many pixels, and its taps."""
    stride = axis.stride if made > 1 else 1
    return axis.kernel, stride, axis.dilation if axis.kernel > 1 else 1, axis.before, size, made


def arguments(op: Op, without: tuple[str, ...] = ()) -> Hashable:
    """The other arguments of an op, numbers as float32 has them."""
    names = [f.name for f in fields(op) if f.name not in (*without, *NOT_COMPARED)]
    return tuple((name, rounded(getattr(op, name))) for name in names)


def rounded(value: Any) -> Hashable:
    """A value with its fractions in float32."""
    if isinstance(value, float):
        return float(np.float32(value))
    return tuple(map(rounded, value)) if isinstance(value, list | tuple) else value
