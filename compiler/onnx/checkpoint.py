"""Activations worked out again in the backward pass instead of kept (Chen et al. 2016, "Training
Deep Nets with Sublinear Memory Cost").

The layers are cut into segments of consecutive ones. Of a segment only what later ones take is
kept; when the backward pass comes to it, its layers are run once more, and their tensors live until
it has gone through. That costs one more forward pass at most, and changes no number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from math import prod

from compiler.graph import Graph, Input, Node
from compiler.onnx import LOWERINGS
from compiler.onnx.emitter import Emitter, Lowering, Writer
from compiler.onnx.lower import metadata_of, set_metadata
from grammar.records import dataclass

TRIES = 32  # largest segments that are tried out


@dataclass(frozen=True)
class Segments:
    """The segment of each layer, from 0, and the tensors that are kept for later segments."""

    of_layer: Mapping[str, int]
    kept: frozenset[str]
    last: int


def cut(graph: Graph) -> Segments:
    """The segments that take the least memory: all that is kept, and the largest one whole."""
    layers = [node for node in graph.nodes() if not isinstance(node.op, Input)]
    sizes = {node.name: count(node) for node in layers}
    crossing = crossings(graph, layers)
    bytes_at = [sum(sizes[name] for name in names) for names in crossing]
    total = sum(sizes.values())
    best: tuple[int, list[int]] = (total, [])
    for part in range(2, TRIES + 2):
        cuts = cuts_for(layers, sizes, bytes_at, -(-total // part))
        kept = frozenset(name for place in cuts for name in crossing[place])
        borders = [0, *(place + 1 for place in cuts), len(layers)]
        largest = max(
            sum(sizes[node.name] for node in layers[start:end] if node.name not in kept)
            for start, end in pairwise(borders)
        )
        best = min(best, (sum(sizes[name] for name in kept) + largest, cuts))
    cuts = best[1]
    places: dict[str, int] = {}
    for place, node in enumerate(layers):
        places[node.name] = sum(before < place for before in cuts)
    return Segments(places, frozenset(n for place in cuts for n in crossing[place]), len(cuts))


def count(node: Node) -> int:
    """How many numbers of a layer's tensor a sample has; 0 where that is not known."""
    return prod(size if isinstance(size, int) else 0 for size in node.shape)


def crossings(graph: Graph, layers: list[Node]) -> list[tuple[str, ...]]:
    """For each layer the tensors, up to its own, that later ones or the outputs take."""
    own = {node.name for node in layers}
    last_use = {name: place for place, node in enumerate(layers) for name in node.inputs}
    last_use |= dict.fromkeys(graph.outputs.values(), len(layers))
    alive: dict[str, None] = {}
    found = []
    for place, node in enumerate(layers):
        alive[node.name] = None
        for name in (*node.inputs, node.name):
            if last_use.get(name, place) <= place:
                alive.pop(name, None)
        found.append(tuple(name for name in alive if name in own))
    return found


def cuts_for(
    layers: list[Node], sizes: Mapping[str, int], bytes_at: list[int], most: int
) -> list[int]:
    """After which layers to cut so that no segment is larger than `most`, if that can be.

    Of the places in the second half of what fits, the one that the least crosses.
    """
    found: list[int] = []
    start, filled = 0, 0
    for place, node in enumerate(layers):
        filled += sizes[node.name]
        if filled <= most or place == start:
            continue
        middle = (start + place) // 2
        chosen = min(range(middle, place), key=lambda at: (bytes_at[at], -at))
        found.append(chosen)
        start = chosen + 1
        filled = sum(sizes[each.name] for each in layers[start : place + 1])
    return found


def run_again(
    lowering: Lowering,
    emitters: dict[str, Emitter],
    layers: Collection[Node],
    kept: Collection[str],
    dy: str,
) -> None:
    """Write the layers of a segment once more, for the backward pass that has come to `dy`.

    What they take from outside passes through a product with 1 that depends on `dy`: otherwise
    ONNX Runtime would see that the same is worked out twice, and keep it instead.
    """
    names = {node.name for node in layers}
    one = ""
    outside: dict[str, str] = {}
    again: dict[str, str] = {}
    for node in layers:
        inputs: list[str] = []
        for source in node.inputs:
            tensor = again.get(source, lowering.tensor_of[source])
            if source not in names and lowering.kinds[tensor] == "f32":
                write = Writer(lowering, f"again/{node.name}/{len(inputs)}", "f32")
                one = one or one_of(write, dy)
                if source not in outside:
                    outside[source] = write.node("Mul", tensor, one)
                lowering.nodes += write.nodes
                tensor = outside[source]
            inputs.append(tensor)
        emit = Emitter(lowering, node, "again/")
        result = LOWERINGS[type(node.op)](node.op, emit, *inputs)
        for proto in emit.nodes:
            set_metadata(proto, metadata_of(node))
        lowering.nodes += emit.nodes
        emitters[node.name] = emit
        again[node.name] = lowering.tensor_of[node.name] if node.name in kept else result
    lowering.tensor_of |= again


def one_of(write: Writer, dy: str) -> str:
    """1, from the first number of a tensor: its power of 0, also of one that is no number."""
    flat = write.node("Reshape", dy, write.ints([-1]))
    first = write.node("Slice", flat, write.ints([0]), write.ints([1]))
    return write.node("Pow", first, write.floats(0.0))
