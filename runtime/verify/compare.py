"""NumPy against ONNX Runtime, layer by layer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph, Input, Node
from compiler.onnx.emitter import tensor_names
from compiler.onnx.lower import lower_apart
from compiler.options import CompileOptions
from compiler.passes import optimise
from runtime.models import referring
from runtime.reference import compute, interpret, run_reference, symbol_values
from runtime.session import open_session
from runtime.verify.comparison import Comparison, Ledger
from runtime.verify.first_difference import FirstDifference, Place, first_difference, taken
from runtime.verify.options import USUAL, VerifyOptions
from runtime.verify.segments import BUDGET, Tensors
from runtime.verify.tolerance import NONE, ROUNDINGS, Gap, Tolerance, distance, gap, pieces


def compare_all(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    options: VerifyOptions = USUAL,
    budget: int = BUDGET,
) -> Comparison:
    """Run a graph with numbers on both, plain and optimised, and compare tensor by tensor.

    The plain model runs in parts whose tensors take at most `budget` bytes, just before NumPy
    reaches them.
    """
    ledger = Ledger(options.allow(len(graph)))
    take = layer_tensors(graph, feeds, options, budget)
    wanted, first = compare_layers(graph, feeds, take, ledger, options.bisect)
    count = len(ledger.gaps)
    if first is not None:
        return ledger.close(count, first)
    del take
    compiled = lower_apart(optimise(graph), CompileOptions(dtype=options.dtype))
    model, weights = referring(*compiled)
    settings = replace(options.settings, optimise=True, weights=weights)
    final = open_session(model, options.device, settings).run(dict(feeds))
    compare_outputs(graph, feeds, final, wanted, "optimised", ledger)
    return ledger.close(count)


def compare_outputs(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    ours: Mapping[str, NDArray[Any]],
    wanted: Mapping[str, NDArray[Any]],
    stage: str,
    ledger: Ledger,
) -> None:
    """The outputs of a whole run against NumPy's, by the names of their layers.

    Roundings add up through depth, and a net may amplify them. How much is told by two runs that
    round as well: NumPy in float32, and the layers that were compared one by one.
    """
    rounded: dict[str, NDArray[Any]] = {}
    for output, name in graph.outputs.items():
        if output not in ours:
            continue
        found = gap(ours[output], wanted[name], ledger.allow)
        alone = None
        if found.share > 1 and not ledger.failures:
            rounded = rounded or run_reference(graph, feeds, np.float32)
            layer = ledger.gaps[name].error if name in ledger.gaps else 0.0
            loss = max(largest_error(rounded[output], wanted[name]), layer)
            alone = gap(ours[output], wanted[name], ledger.allow, ROUNDINGS * loss)
        ledger.note(output, graph[name].span.line, stage, found, alone)


def largest_error(rounded: NDArray[Any], exact: NDArray[Any]) -> float:
    """How far float32 is from float64; where only one of them is finite it tells nothing."""
    errors = [distance(a, b) for _, a, b in pieces(rounded, exact)]
    return max((float(e.max(where=np.isfinite(e), initial=0.0)) for e in errors), default=0.0)


Take: TypeAlias = Callable[[Node], "NDArray[Any] | None"]


def layer_tensors(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], options: VerifyOptions, budget: int
) -> Take:
    """What gives the tensor of each layer from ONNX Runtime."""
    names = tensor_names(graph)
    layers = [names[node.name] for node in graph.nodes() if not isinstance(node.op, Input)]
    compiled = lower_apart(graph, CompileOptions(dtype=options.dtype), expose=True)
    model, weights = referring(*compiled)
    settings = replace(options.settings, weights=weights)
    tensors = Tensors(model, feeds, layers, options.device, settings, budget)
    return lambda node: tensors.take(names[node.name])


def compare_layers(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], take: Take, ledger: Ledger, bisect: bool
) -> tuple[dict[str, NDArray[Any]], FirstDifference | None]:
    """NumPy against what `take` gives of a layer, if it gives anything.

    Returns NumPy's tensors of the outputs' layers; with `bisect` it ends at the first layer that
    differs and returns the report on it.
    """
    wanted: dict[str, NDArray[Any]] = {}
    outputs = set(graph.outputs.values())
    for node, ours, value in side_by_side(graph, feeds, take):
        if node.name in outputs:
            wanted[node.name] = value
        tensor = ours[node.name]
        if isinstance(node.op, Input) or not isinstance(tensor, np.ndarray):
            continue
        found = gap(tensor, value, ledger.allow)
        excusable = found.share > 1 and not ledger.failures
        alone = computed_alone(graph, node, ours, feeds, ledger.allow) if excusable else None
        if value.size and np.isnan(value).all() and found.share <= 1:
            ledger.nan.append(node.name)
        if not ledger.note(node.name, node.span.line, "layers", found, alone) and bisect:
            return wanted, examine(node, ours, value, ledger, feeds, alone)
    return wanted, None


Tensor: TypeAlias = "NDArray[Any] | Callable[..., NDArray[Any]]"  # the latter by precision


def side_by_side(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], take: Take
) -> Iterator[tuple[Node, dict[str, Tensor], NDArray[Any]]]:
    """Each layer with the other's tensors that are in use, its own among them, and NumPy's.

    A tensor that the other does not give is what NumPy makes of those that it gives, on demand and
    in the precision that is asked for.
    """
    uses = Counter(source for node in graph.nodes() for source in node.inputs)
    sizes = symbol_values(graph.nodes(), feeds)
    ours: dict[str, Tensor] = {}
    reference = interpret(graph, feeds, np.float64)
    for known in graph.nodes():
        given = feeds[known.name] if isinstance(known.op, Input) else take(known)
        if given is not None:
            ours[known.name] = given
        else:
            inputs = tuple(ours[name] for name in known.inputs)
            ours[known.name] = cache(partial(computed, graph, known, inputs, sizes))
        node, value = next(reference)
        yield node, ours, value
        uses.subtract(node.inputs)
        for name in (*node.inputs, node.name):
            if not uses[name]:
                ours.pop(name, None)


def computed(
    graph: Graph,
    node: Node,
    inputs: tuple[Tensor, ...],
    sizes: Mapping[str, int],
    dtype: type[np.floating[Any]],
    change: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> NDArray[Any]:
    """The tensor of a layer from those that it takes, which may have to be computed first.

    What the other gives may be changed before anything is computed from it.
    """

    def given(x: Tensor) -> NDArray[Any]:
        if not isinstance(x, np.ndarray):
            return x(dtype, change)
        return x if change is None else change(x)

    arrays = map(given, inputs)
    return compute(graph, node, tuple(array.astype(dtype) for array in arrays), sizes, dtype)


# A sigmoid of -20, and e^x - 1 of an x next to 0.
NEAR_ONE = frozenset(["sigmoid", "elu", "celu", "selu"])


def computed_alone(
    graph: Graph,
    node: Node,
    ours: Mapping[str, Tensor],
    feeds: Mapping[str, NDArray[Any]],
    allow: Tolerance,
) -> Gap:
    """How far a layer is off when NumPy computes it from the other's own inputs.

    Up to its tolerance, the layer only passes on what its inputs bring. A layer that is badly
    conditioned loses more, by itself or with those before it that the other does not give: as much
    as NumPy loses in float32, or as a rounding of its inputs makes of it, which no other way to
    work it out can spare: x/s - mean/s of equal numbers is no more than roundings. What is the
    difference of two numbers near 1 in ONNX Runtime loses as much as float32 does there.
    """
    inputs = tuple(ours[name] for name in node.inputs)
    sizes = symbol_values(graph.nodes(), feeds)
    exact = computed(graph, node, inputs, sizes, np.float64)
    tensor = ours[node.name]
    assert isinstance(tensor, np.ndarray)
    found = gap(tensor, exact, allow)
    if found.share <= 1:
        return found
    others = (
        computed(graph, node, inputs, sizes, np.float32),
        computed(graph, node, inputs, sizes, np.float64, rounded),
    )
    loss = max(largest_error(other, exact) for other in others)
    if node.op.name in NEAR_ONE:
        loss = max(loss, float(np.finfo(np.float32).epsneg))
    return gap(tensor, exact, allow, ROUNDINGS * loss)


def rounded(array: NDArray[Any], times: float = 1.0) -> NDArray[Any]:
    """Numbers off by what rounding to float32 so often may take from them, in turn up and down."""
    if not np.issubdtype(array.dtype, np.floating):
        return array
    share = times * np.finfo(np.float32).eps / 2
    return array.astype(np.float64) * (1 + every_other(array.shape) * share)


def every_other(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """-1 and 1 in turn."""
    return np.where(np.arange(math.prod(shape)).reshape(shape) % 2, 1.0, -1.0)


def examine(
    node: Node,
    ours: Mapping[str, Tensor],
    value: NDArray[Any],
    ledger: Ledger,
    feeds: Mapping[str, NDArray[Any]],
    alone: Gap | None,
) -> FirstDifference:
    """The report on a layer that differs."""
    place = Place.of(node)
    arrays = {name: x for name, x in ours.items() if isinstance(x, np.ndarray)}
    return first_difference(
        place,
        arrays[node.name],
        value,
        ledger.gaps[node.name],
        taken(place, arrays, dict.fromkeys(feeds, NONE) | ledger.gaps),
        alone,
    )
