"""NumPy against ONNX Runtime, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.dims import evaluate, symbols
from compiler.graph import Graph, Input, Node
from compiler.initialise import generator
from compiler.onnx.lower import lower
from compiler.onnx.lowering import tensor_names
from compiler.passes import PASSES
from runtime.comparison import Comparison, Ledger
from runtime.culprit import Culprit, Place, culprit, taken
from runtime.gaps import NONE, Gap, Tolerance, gap, tolerance
from runtime.models import detached
from runtime.providers import Settings
from runtime.reference import compute, interpret, symbol_values
from runtime.segments import BUDGET, Tensors
from runtime.session import open_session

COMFORTABLE = 16  # a symbolic size in a random test is at least this


def sizes_for(graph: Graph) -> dict[str, int]:
    """Valid values for the symbols, at least 16 and different from each other where they may be."""
    if graph.domain is None:
        return {}
    sizes = graph.domain.smallest()
    taken: set[int] = set()
    for name in list(sizes):
        start = max(sizes[name], COMFORTABLE)
        for value in range(start, start + 4096):
            trial = sizes | {name: value}
            if value not in taken and not graph.domain.contains(trial):
                sizes = trial
                break
        taken.add(sizes[name])
    return sizes


def random_feeds(graph: Graph, seed: int = 0, batch: int = 2) -> dict[str, NDArray[np.float32]]:
    """Standard normal numbers for every input."""
    sizes = sizes_for(graph)
    feeds = {}
    for node in graph.inputs():
        shape = [
            evaluate(size, sizes) if symbols(size) else int(size)  # type: ignore[arg-type]
            for size in node.shape
        ]
        feeds[node.name] = generator(seed, f"input {node.name}").standard_normal(
            (batch, *shape), dtype=np.float32
        )
    return feeds


def compare_all(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    *,
    device: str = "cpu",
    dtype: str = "f32",
    exact: bool = True,
    bisect: bool = False,
    budget: int = BUDGET,
) -> Comparison:
    """Run a graph with numbers on both, plain and optimised, and compare tensor by tensor.

    The plain model runs in parts whose tensors take at most `budget` bytes, just before NumPy
    reaches them. With `bisect` it ends at the first layer that differs and reports on it.
    """
    ledger = Ledger(tolerance(device, dtype, exact=exact, layers=len(graph)))
    settings = Settings(exact=exact, optimise=False, dtype=dtype)
    take = layer_tensors(graph, feeds, device, settings, budget)
    wanted, first = compare_layers(graph, feeds, take, ledger, bisect)
    count = len(ledger.gaps)
    if first is not None:
        return ledger.close(count, first)
    del take
    rewritten = graph
    for rewrite in PASSES:
        rewritten = rewrite(rewritten)
    model, weights = detached(lower(rewritten, dtype=dtype))
    settings = Settings(exact=exact, dtype=dtype, weights=weights)
    final = open_session(model, device, settings).run(dict(feeds))
    for output, name in graph.outputs.items():
        found = gap(final[output], wanted[name], ledger.allow)
        drifts = name in ledger.drifted and found.share <= 2 * ledger.gaps[name].share
        alone = NONE if drifts else None
        ledger.note(output, graph[name].span.line, "optimised", found, alone)
    return ledger.close(count)


Take: TypeAlias = Callable[[Node], "NDArray[Any] | None"]


def layer_tensors(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], device: str, settings: Settings, budget: int
) -> Take:
    """What gives the tensor of each layer from ONNX Runtime."""
    names = tensor_names(graph)
    layers = [names[node.name] for node in graph.nodes() if not isinstance(node.op, Input)]
    model = lower(graph, expose=True, dtype=settings.dtype)
    tensors = Tensors(model, feeds, layers, device, settings, budget)
    return lambda node: tensors.take(names[node.name])


def compare_layers(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], take: Take, ledger: Ledger, bisect: bool
) -> tuple[dict[str, NDArray[Any]], Culprit | None]:
    """NumPy against what `take` gives of a layer, if it gives anything.

    Returns NumPy's tensors of the outputs' layers; with `bisect` it ends at the first layer that
    differs and returns the report on it.
    """
    wanted: dict[str, NDArray[Any]] = {}
    outputs = set(graph.outputs.values())
    for node, ours, value in side_by_side(graph, feeds, take):
        if node.name in outputs:
            wanted[node.name] = value
        if isinstance(node.op, Input) or node.name not in ours:
            continue
        found = gap(ours[node.name], value, ledger.allow)
        alone = computed_alone(graph, node, ours, feeds, ledger.allow) if found.share > 1 else None
        if not ledger.note(node.name, node.span.line, "layers", found, alone) and bisect:
            return wanted, examine(node, ours, value, ledger, feeds, alone)
    return wanted, None


def side_by_side(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], take: Take
) -> Iterator[tuple[Node, dict[str, NDArray[Any]], NDArray[Any]]]:
    """Each layer with the other's tensors that are in use, its own among them, and NumPy's."""
    uses = Counter(source for node in graph.nodes() for source in node.inputs)
    ours: dict[str, NDArray[Any]] = {}
    reference = interpret(graph, feeds, np.float64)
    for known in graph.nodes():
        given = feeds[known.name] if isinstance(known.op, Input) else take(known)
        if given is not None:
            ours[known.name] = given
        node, value = next(reference)
        yield node, ours, value
        uses.subtract(node.inputs)
        for name in (*node.inputs, node.name):
            if not uses[name]:
                ours.pop(name, None)


def computed_alone(
    graph: Graph,
    node: Node,
    ours: Mapping[str, NDArray[Any]],
    feeds: Mapping[str, NDArray[Any]],
    allow: Tolerance,
) -> Gap | None:
    """How far a layer is off when NumPy computes it from the other's own inputs, if all are known.

    Up to its tolerance, the layer only passes on what its inputs bring.
    """
    if any(name not in ours for name in node.inputs):
        return None
    inputs = tuple(ours[name].astype(np.float64) for name in node.inputs)
    again = compute(graph, node, inputs, symbol_values(graph.nodes(), feeds))
    return gap(ours[node.name], again, allow)


def examine(
    node: Node,
    ours: Mapping[str, NDArray[Any]],
    value: NDArray[Any],
    ledger: Ledger,
    feeds: Mapping[str, NDArray[Any]],
    alone: Gap | None,
) -> Culprit:
    """The report on a layer that differs."""
    place = Place.of(node)
    return culprit(
        place,
        ours[node.name],
        value,
        ledger.gaps[node.name],
        taken(place, ours, dict.fromkeys(feeds, NONE) | ledger.gaps),
        alone,
    )
