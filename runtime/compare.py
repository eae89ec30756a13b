"""NumPy against ONNX Runtime, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import evaluate, symbols
from compiler.graph import Graph, Input, Node
from compiler.initialise import generator
from compiler.lower import lower, tensor_names
from compiler.passes import PASSES
from runtime.culprit import Culprit, Place, culprit, taken
from runtime.gaps import NONE, Gap, Tolerance, gap, tolerance
from runtime.models import detached
from runtime.providers import Settings
from runtime.reference import compute, interpret, symbol_values
from runtime.segments import BUDGET, Tensors
from runtime.session import open_session

COMFORTABLE = 16  # a symbolic size in a random test is at least this


@dataclass(frozen=True)
class Difference:
    """A tensor on which the two disagree: its layer, its source line, the largest difference.

    `stage` is "layers" for the plain model and "optimised" for the one after the passes.
    """

    node: str
    line: int
    error: float
    stage: str


@dataclass(frozen=True)
class Comparison:
    """What came out: the largest relative difference, and `worst`, the largest share of its
    tolerance that a difference took (above 1 it is a failure), each with its layer.

    `culprit` is the first layer that differs, where a bisection looked for it; `reference` and
    `subject` say what was compared.
    """

    nodes: int
    relative: float
    relative_node: str
    worst: float
    worst_node: str
    failures: tuple[Difference, ...]
    culprit: Culprit | None = None
    reference: str = "NumPy"
    subject: str = "ONNX Runtime"

    @property
    def ok(self) -> bool:
        """Whether all tensors agree."""
        return not self.failures

    def sentence(self, device: str) -> str:
        """The result in words; the first failure on a line of its own."""
        word = "agree" if self.ok else "DIFFER"
        said = (
            f"{self.reference} and {self.subject} ({device}) {word} at {self.nodes} layers, "
            f"largest relative difference {self.relative:.1e} at {self.relative_node}, "
            f"{self.worst:.1%} of the tolerance at {self.worst_node}"
        )
        for first in self.failures[:1]:
            said += f"\n  first difference: {first.node}, line {first.line}: "
            said += f"{first.error:.3g} ({first.stage})"
        return said

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found["failures"] = [asdict(failure) for failure in self.failures]
        found["culprit"] = None if self.culprit is None else self.culprit.as_dict()
        return {"ok": self.ok} | found


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


@dataclass
class Ledger:
    """The comparisons so far."""

    allow: Tolerance
    gaps: dict[str, Gap] = field(default_factory=dict)
    failures: list[Difference] = field(default_factory=list)

    def note(self, name: str, line: int, stage: str, found: Gap) -> bool:
        """Write a comparison down; whether it is within the tolerance."""
        self.gaps[name if stage == "layers" else f"{name} after optimisation"] = found
        if found.share > 1:
            self.failures.append(Difference(name, line, found.error, stage))
        return found.share <= 1

    def close(self, nodes: int, first: Culprit | None = None) -> Comparison:
        """What came out."""
        relative_node = max(self.gaps, key=lambda name: self.gaps[name].relative)
        worst_node = max(self.gaps, key=lambda name: self.gaps[name].share)
        return Comparison(
            nodes,
            self.gaps[relative_node].relative,
            relative_node,
            self.gaps[worst_node].share,
            worst_node,
            tuple(self.failures),
            first,
        )


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
    tensors = layer_tensors(graph, feeds, device, settings, budget)
    wanted: dict[str, NDArray[Any]] = {}
    outputs = set(graph.outputs.values())
    for node, ours, value in side_by_side(graph, feeds, tensors):
        if node.name in outputs:
            wanted[node.name] = value
        if isinstance(node.op, Input):
            continue
        found = gap(ours[node.name], value, *ledger.allow)
        if not ledger.note(node.name, node.span.line, "layers", found) and bisect:
            return ledger.close(len(ledger.gaps), examine(graph, node, ours, value, ledger, feeds))
    del tensors
    count = len(ledger.gaps)
    rewritten = graph
    for rewrite in PASSES:
        rewritten = rewrite(rewritten)
    model, weights = detached(lower(rewritten, dtype=dtype))
    settings = Settings(exact=exact, dtype=dtype, weights=weights)
    final = open_session(model, device, settings).run(dict(feeds))
    for output, name in graph.outputs.items():
        found = gap(final[output], wanted[name], *ledger.allow)
        ledger.note(output, graph[name].span.line, "optimised", found)
    return ledger.close(count)


def layer_tensors(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], device: str, settings: Settings, budget: int
) -> Iterator[NDArray[Any]]:
    """The tensor of each layer from ONNX Runtime, in the order of the graph."""
    names = tensor_names(graph)
    layers = [names[node.name] for node in graph.nodes() if not isinstance(node.op, Input)]
    model = lower(graph, expose=True, dtype=settings.dtype)
    given = {names[name]: array for name, array in feeds.items()}
    tensors = Tensors(model, given, layers, device, settings, budget)
    return (tensors.take(name) for name in layers)


def side_by_side(
    graph: Graph, feeds: Mapping[str, NDArray[Any]], tensors: Iterator[NDArray[Any]]
) -> Iterator[tuple[Node, dict[str, NDArray[Any]], NDArray[Any]]]:
    """Each layer with ONNX Runtime's tensors that are in use, its own among them, and NumPy's."""
    uses = Counter(source for node in graph.nodes() for source in node.inputs)
    ours: dict[str, NDArray[Any]] = {}
    reference = interpret(graph, feeds, np.float64)
    for known in graph.nodes():
        ours[known.name] = feeds[known.name] if isinstance(known.op, Input) else next(tensors)
        node, value = next(reference)
        yield node, ours, value
        for source in (*node.inputs, node.name):
            uses[source] -= source != node.name
            if not uses[source]:
                ours.pop(source, None)


def examine(
    graph: Graph,
    node: Node,
    ours: Mapping[str, NDArray[Any]],
    value: NDArray[Any],
    ledger: Ledger,
    feeds: Mapping[str, NDArray[Any]],
) -> Culprit:
    """The report on a layer that differs, computed once more from ONNX Runtime's own inputs."""
    inputs = tuple(ours[name].astype(np.float64) for name in node.inputs)
    alone = compute(graph, node, inputs, symbol_values(graph.nodes(), feeds))
    place = Place.of(node)
    gaps = dict.fromkeys(feeds, NONE) | ledger.gaps
    return culprit(
        place,
        ours[node.name],
        value,
        ledger.gaps[node.name],
        taken(place, {name: array.shape for name, array in ours.items()}, gaps),
        gap(ours[node.name], alone, *ledger.allow),
    )
