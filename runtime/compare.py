"""NumPy against ONNX Runtime, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.dims import evaluate, symbols
from compiler.graph import Graph, Input
from compiler.initialise import generator
from compiler.lower import lower, tensor_names
from compiler.passes import PASSES
from runtime.devices import parse_device
from runtime.providers import Settings
from runtime.reference import interpret
from runtime.session import open_session

TOLERANCES = {"cpu": (1e-4, 1e-5), "cuda": (1e-3, 1e-4)}
ROUNDED = 2e-2  # both, for float16, bfloat16, TF32 and whatever TensorRT chooses
STEP = 2.0**-8  # of bfloat16, relative
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
class Gap:
    """How far a tensor is from its reference; a shape, infinity or NaN that differs is inf.

    `error` is the largest difference; `relative` divides it by the tensor's largest magnitude;
    `share` is the largest difference as a share of what is allowed at that place.
    """

    error: float
    relative: float
    share: float


@dataclass(frozen=True)
class Comparison:
    """What came out: the largest relative difference, and `worst`, the largest share of its
    tolerance that a difference took (above 1 it is a failure), each with its layer."""

    nodes: int
    relative: float
    relative_node: str
    worst: float
    worst_node: str
    failures: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Whether all tensors agree."""
        return not self.failures

    def sentence(self, device: str) -> str:
        """The result in words; the first failure on a line of its own."""
        word = "agree" if self.ok else "DIFFER"
        said = (
            f"NumPy and ONNX Runtime ({device}) {word} at {self.nodes} layers, largest relative "
            f"difference {self.relative:.1e} at {self.relative_node}, "
            f"{self.worst:.1%} of the tolerance at {self.worst_node}"
        )
        for first in self.failures[:1]:
            said += f"\n  first difference: {first.node}, line {first.line}: "
            said += f"{first.error:.3g} ({first.stage})"
        return said


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


class Tolerance(NamedTuple):
    """What may differ: relative to the value, and to the tensor's largest magnitude or `floor`."""

    relative: float
    absolute: float
    floor: float = 1.0


def tolerance(device: str, dtype: str = "f32", *, exact: bool = True, layers: int = 1) -> Tolerance:
    """The tolerance of a device and precision against NumPy in float64.

    Each layer rounds, and roundings add up as a random walk does: for bfloat16, whose step is
    coarse, that is more than 2e-2 from some 26 layers on.
    """
    kind = parse_device(device).kind
    if dtype == "f32" and exact and kind in TOLERANCES:
        return Tolerance(*TOLERANCES[kind])
    allowed = max(ROUNDED, STEP * math.sqrt(layers)) if dtype == "bf16" else ROUNDED
    return Tolerance(allowed, allowed, floor=float(np.finfo(np.float64).tiny))


def gap(
    ours: NDArray[Any], reference: NDArray[Any], rtol: float, atol: float, floor: float = 1.0
) -> Gap:
    """Compare two tensors; atol * max(floor, scale) + rtol * |value| is allowed at each place.

    The scale is the tensor's largest magnitude: a sum of large terms that nearly cancel cannot be
    closer than their rounding. In the rounded precisions it counts below 1 too, where 1 would
    forgive everything.
    """
    apart = Gap(float("inf"), float("inf"), float("inf"))
    if ours.shape != reference.shape:
        return apart
    if not reference.size:
        return Gap(0.0, 0.0, 0.0)
    same = (ours == reference) | (np.isnan(ours) & np.isnan(reference))
    finite = np.isfinite(ours) & np.isfinite(reference)
    if not (same | finite).all():
        return apart
    values = np.where(finite, reference, 0)
    difference = np.where(same, 0, np.abs(np.where(finite, ours, 0) - values))
    scale, error = float(np.abs(values).max()), float(difference.max())
    allowed = atol * max(floor, scale) + rtol * np.abs(values)
    relative = error / scale if scale else float("inf") if error else 0.0
    return Gap(error, relative, float((difference / allowed).max()))


def compare_all(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    *,
    device: str = "cpu",
    dtype: str = "f32",
    exact: bool = True,
) -> Comparison:
    """Run a graph with numbers on both, plain and optimised, and compare tensor by tensor."""
    names = tensor_names(graph)
    settings = Settings(exact=exact, optimise=False, dtype=dtype)
    plain = open_session(lower(graph, expose=True, dtype=dtype), device, settings)
    allow = tolerance(plain.device, dtype, exact=exact, layers=len(graph))
    tensors = plain.run(dict(feeds))
    gaps: dict[str, Gap] = {}
    failures: list[Difference] = []

    def note(name: str, line: int, stage: str, found: Gap) -> None:
        gaps[name if stage == "layers" else f"{name} after optimisation"] = found
        if found.share > 1:
            failures.append(Difference(name, line, found.error, stage))

    wanted: dict[str, NDArray[Any]] = {}
    outputs = set(graph.outputs.values())
    for node, value in interpret(graph, feeds, np.float64):
        if node.name in outputs:
            wanted[node.name] = value
        if not isinstance(node.op, Input):
            ours = tensors.pop(names[node.name])
            note(node.name, node.span.line, "layers", gap(ours, value, *allow))
    count = len(gaps)
    rewritten = graph
    for rewrite in PASSES:
        rewritten = rewrite(rewritten)
    settings = Settings(exact=exact, dtype=dtype)
    final = open_session(lower(rewritten, dtype=dtype), device, settings).run(dict(feeds))
    for output, name in graph.outputs.items():
        found = gap(final[output], wanted[name], *allow)
        note(output, graph[name].span.line, "optimised", found)
    relative_node = max(gaps, key=lambda name: gaps[name].relative)
    worst_node = max(gaps, key=lambda name: gaps[name].share)
    return Comparison(
        count,
        gaps[relative_node].relative,
        relative_node,
        gaps[worst_node].share,
        worst_node,
        tuple(failures),
    )
