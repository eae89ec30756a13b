"""One training step, NumPy against ONNX Runtime: every tensor, every derivative, every update.

Each layer is worked out by NumPy, in float64, from what ONNX Runtime gave it: forward from its
inputs, backward from its inputs and the derivative by its output. So a rule that is wrong is told
at its own layer, not at all before it, and a corner (a relu at 0, two equal maxima) is taken on the
same side by both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from compiler.graph import Graph, Input, Node
from compiler.initialise import generator, scatter
from compiler.onnx.step import build_gradients, build_step
from compiler.ops.shapes import known
from compiler.training.layout import (
    APPLY,
    BY_TENSOR,
    GRADIENT,
    LOSS,
    NEXT,
    NORM,
    SCALING,
    STEP,
    TENSOR,
    layout_of,
)
from compiler.training.model import StepPlan, TrainingPlan
from runtime.backward import add
from runtime.gradients import run_gradient
from runtime.kernels import Array
from runtime.random_inputs import random_input
from runtime.reference import arrays_of, compute, symbol_values, with_sizes
from runtime.session import open_session
from runtime.settings import Settings
from runtime.training.engine import check_products
from runtime.training_step import run_step
from runtime.verify.compare import every_other, largest_error, rounded
from runtime.verify.comparison import Comparison, Ledger
from runtime.verify.options import USUAL, VerifyOptions
from runtime.verify.tolerance import ROUNDINGS, gap, tolerance

Tensors = Mapping[str, NDArray[Any]]
ROUNDING = 2.0**-20  # a few roundings of float32
MOST_SUMMED = 16.0  # roundings that add up in a mean
RATE = 1e-2  # of the updates that are compared


def verify_step(
    training: TrainingPlan, plan: StepPlan, options: VerifyOptions = USUAL
) -> Comparison:
    """Hold one step on random data against NumPy; differences are told by source line."""
    check_products(plan.dtype, options.device)
    feeds = random_step(training, plan, options.seed, options.batch)
    session = open_session(
        build_step(plan, show=True), options.device, Settings(exact=True, in_order=True)
    )
    return compare_step(plan, feeds, session.run(feeds), options.device)


def random_step(
    training: TrainingPlan, plan: StepPlan, seed: int = 0, batch: int = 2
) -> dict[str, NDArray[Any]]:
    """Everything that a step takes: random data and masks, parameters that differ, one update done.

    The optimiser's arrays are what one step before would leave about.
    """
    layout = layout_of(plan)
    classes = {data.name: data.classes for data in training.data}
    feeds: dict[str, NDArray[Any]] = {}
    for node in layout.graph.inputs():
        shape = (batch, *known(node.shape, node.name))
        if node.name in layout.masks:
            p = layout.masks[node.name].p
            kept = generator(seed, node.name).random(shape) >= p
            feeds[node.name] = kept.astype(np.float32) / np.float32(1 - p)
        else:
            whole = isinstance(node.op, Input) and node.op.dtype == "i64"
            dtype = np.int64 if whole else np.float32
            feeds[node.name] = random_input(node.name, shape, dtype, seed, classes.get(node.name))
    feeds |= scatter(replace(layout.graph, values={}), seed).values
    for name, state in layout.states.items():
        small = generator(seed, name).random(state.shape, dtype=np.float32) * np.float32(0.01)
        feeds[name] = feeds[state.parameter] if state.starts_as_parameter else small
    for name in SCALING.keys() & layout.states.keys():
        feeds[name] = np.asarray(SCALING[name].start, dtype=np.float32)
    feeds |= {rate: np.asarray(RATE, dtype=np.float32) for rate in layout.rates}
    feeds[STEP] = np.asarray(2, dtype=np.int64)
    if layout.accumulate > 1:
        feeds[APPLY] = np.asarray(True)
    return feeds


def compare_step(plan: StepPlan, feeds: Tensors, ours: Tensors, device: str) -> Comparison:
    """What a step made of `feeds`, shown whole, against NumPy, layer by layer."""
    layout = layout_of(plan)
    ledger = Ledger(tolerance(device, layout.dtype))
    graph = replace(layout.graph, values={name: feeds[name] for name in layout.arrays})
    compare_layers(graph, feeds, ours, ledger)
    sign = -1.0 if plan.maximize else 1.0
    compare_derivatives(graph, plan.objective, sign, feeds, ours, ledger)
    lines = {
        node.array(weight.name): node.span.line
        for node in graph.nodes()
        for weight in graph.weights(node)
    }
    learned = {name: ours[GRADIENT + name] for name in layout.learned if GRADIENT + name in ours}
    exact = run_step(plan, feeds, gradients=learned)
    for name in layout.changing():
        state = layout.states.get(name)
        line = lines.get(name if state is None else state.parameter, plan.span.line)
        found = gap(ours[name + NEXT], exact.outputs[name + NEXT], ledger.allow)
        ledger.note(f"{name} anew", line, "updates", found)
    for output, name in {LOSS: plan.objective, **{name: name for name in plan.reports}}.items():
        node = graph[graph.outputs[name]]
        mean = np.asarray(ours[TENSOR + node.name].mean(dtype=np.float64))
        ledger.note(output, node.span.line, "means", gap(ours[output], mean, ledger.allow))
    found = gap(ours[NORM], exact.outputs[NORM], ledger.allow)
    ledger.note(NORM, plan.span.line, "means", found)
    return ledger.close(len(graph), unit="layer")


def compare_gradients(
    graph: Graph, objective: str, feeds: Tensors, *, device: str = "cpu"
) -> Comparison:
    """The derivatives of the mean of an output, by all that it depends on, layer by layer."""
    learned = [name for name, weight in graph.parameters().items() if not weight.buffer]
    floats = [n.name for n in graph.inputs() if isinstance(n.op, Input) and n.op.dtype != "i64"]
    model = build_gradients(graph, objective, learned, floats)
    ledger = Ledger(tolerance(device, layers=len(graph)))
    session = open_session(model, device, Settings(exact=True, in_order=True))
    ours = session.run({**feeds, **graph.values})
    compare_layers(graph, feeds, ours, ledger)
    compare_derivatives(graph, objective, 1.0, feeds, ours, ledger)
    return ledger.close(len(graph), unit="layer")


@dataclass(frozen=True)
class StepInputs:
    """What ONNX Runtime has, in one floating type, for NumPy to go on from."""

    graph: Graph
    tensors: Mapping[str, Array]
    derivatives: Mapping[str, Array]
    sizes: Mapping[str, int]
    dtype: DTypeLike

    @classmethod
    def of(cls, graph: Graph, feeds: Tensors, ours: Tensors, dtype: DTypeLike) -> StepInputs:
        """The tensors by layer or input, and the derivatives by them."""
        names = [node.name for node in graph.nodes()]
        tensors = {
            node.name: (
                feeds[node.name] if isinstance(node.op, Input) else ours[TENSOR + node.name]
            ).astype(dtype)
            for node in graph.nodes()
        }
        derivatives = {
            name: ours[BY_TENSOR + name].astype(dtype) for name in names if BY_TENSOR + name in ours
        }
        return cls(graph, tensors, derivatives, symbol_values(graph.nodes(), feeds), dtype)

    def inputs(self, node: Node) -> tuple[Array, ...]:
        """The tensors that a layer takes."""
        return tuple(self.tensors[name] for name in node.inputs)

    def output(self, node: Node) -> Array:
        """What NumPy makes of a layer's inputs."""
        return compute(self.graph, node, self.inputs(node), self.sizes, self.dtype)

    def handed_back(self, objective: str, sign: float) -> dict[str, Array]:
        """The derivative by each tensor and parameter that its users hand it, as it is shown."""
        last = self.graph.outputs[objective]
        tensor = self.tensors[last]
        sums: dict[str, Array] = {BY_TENSOR + last: np.full_like(tensor, sign / tensor.size)}
        for node in reversed([*self.graph.nodes()]):
            if isinstance(node.op, Input) or node.name not in self.derivatives:
                continue
            arrays = arrays_of(self.graph, node, self.dtype)
            found = run_gradient(
                with_sizes(node.op, self.sizes),
                self.inputs(node),
                arrays,
                self.tensors[node.name],
                self.derivatives[node.name],
            )
            for name, by_input in zip(node.inputs, found.inputs, strict=True):
                if by_input is not None:
                    add(sums, BY_TENSOR + name, by_input)
            for array, by_array in found.arrays.items():
                add(sums, f"{GRADIENT}{node.array(array)}", by_array)
        return sums

    def rounded(self) -> StepInputs:
        """The tensors off by some roundings to float32, in turn up and down.

        A mean of n equal numbers is off by as many as n sums have, all of one sign.
        """
        found = {n: rounded(t, min(MOST_SUMMED, t.size**0.5)) for n, t in self.tensors.items()}
        return replace(self, tensors=found)

    def with_signs(self) -> StepInputs:
        """Every other derivative positive: what roundings of the tensors add up to at the worst."""
        found = {n: np.abs(d) * every_other(d.shape) for n, d in self.derivatives.items()}
        return replace(self, derivatives=found)

    def all_positive(self) -> StepInputs:
        """The derivatives without their signs: what they add up to, rounding is a part of."""
        return replace(self, derivatives={n: np.abs(d) for n, d in self.derivatives.items()})


def compare_layers(graph: Graph, feeds: Tensors, ours: Tensors, ledger: Ledger) -> None:
    """Each layer's tensor against what NumPy makes of its inputs."""
    exact, single = (StepInputs.of(graph, feeds, ours, kind) for kind in (np.float64, np.float32))
    off = exact.rounded()
    for node in graph.nodes():
        if isinstance(node.op, Input):
            continue
        value = exact.output(node)

        def rounding(node: Node = node, value: Array = value) -> float:
            return ROUNDINGS * max(largest_error(g.output(node), value) for g in (single, off))

        note(ledger, node.name, node.span.line, "layers", ours[TENSOR + node.name], value, rounding)


def compare_derivatives(
    graph: Graph, objective: str, sign: float, feeds: Tensors, ours: Tensors, ledger: Ledger
) -> None:
    """Each derivative against the sum of what NumPy's rules hand back, from the last layer on."""
    given = StepInputs.of(graph, feeds, ours, np.float64)
    exact = given.handed_back(objective, sign)

    @cache
    def others() -> tuple[dict[str, Array], ...]:
        """The same in float32; without cancellation; of one pattern of signs, of which the inputs
        are a rounding off in the second."""
        single = StepInputs.of(graph, feeds, ours, np.float32)
        signed = given.with_signs()
        back = [each.handed_back(objective, 1.0) for each in (signed, signed.rounded())]
        sizes = given.all_positive().handed_back(objective, 1.0)
        return (single.handed_back(objective, sign), sizes, *back)

    def rounding(key: str) -> float:
        """What rounding may take, and a few roundings of the largest sum of terms that may cancel.

        It takes what float32 loses in NumPy, or what a rounding of a layer's inputs makes of its
        derivatives where no two roundings cancel: a norm of equal numbers divides nothing by next
        to nothing, and all that is left of their differences from the mean is rounding.
        """
        single, sizes, signed, off = others()
        lost = max(largest_error(single[key], exact[key]), largest_error(off[key], signed[key]))
        largest = max(float(np.abs(each[key]).max(initial=0.0)) for each in (sizes, signed))
        return ROUNDINGS * lost + ROUNDING * largest

    users: dict[str, list[Node]] = graph.users()
    lines = {
        BY_TENSOR + node.name: [*users[node.name], node][0].span.line
        for node in reversed([*graph.nodes()])
    }
    for node in graph.nodes():
        for weight in graph.weights(node):
            lines.setdefault(f"{GRADIENT}{node.array(weight.name)}", node.span.line)
    for key, line in lines.items():
        if key in ours:
            shown = f"gradient of {key.removeprefix(BY_TENSOR).removeprefix(GRADIENT)}"
            note(ledger, shown, line, "gradients", ours[key], exact[key], partial(rounding, key))


def note(
    ledger: Ledger,
    name: str,
    line: int,
    stage: str,
    ours: NDArray[Any],
    exact: Array,
    rounding: Callable[[], float],
) -> None:
    """Write a comparison down; a layer that is badly conditioned may lose by rounding."""
    found = gap(ours, exact, ledger.allow)
    if found.share > 1:
        found = gap(ours, exact, ledger.allow, rounding())
    ledger.note(name, line, stage, found)
