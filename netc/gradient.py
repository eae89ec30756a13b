"""`net.gradient`: derivatives of an output, or of a loss, by inputs, parameters and layers.

They are worked out in NumPy, in float64, by the rules that hold training steps to account
(`runtime/gradients`), so that a value may be trusted to many digits; large nets take their time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import evaluate
from compiler.graph import Graph, Node
from compiler.initialise import initialise
from compiler.symbols.labels import label_of
from compiler.training.mode import Mask, in_training
from netc.fitting import plan_for
from netc.given import kind_of
from netc.runnable import Engine, runnable_of_graph
from netc.sessions import samples_by_input
from runtime.backward import backward
from runtime.batches import Runner, run_batches
from runtime.errors import CallError
from runtime.kernels import Array
from runtime.reference import symbol_values
from runtime.training.memory import samples_in_memory
from runtime.training.randomness import draw_mask
from runtime.valid_sizes import check_sizes

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Gradient:
    """A number and its derivatives, float64, each of the shape of what it is taken by.

    `inputs` and `tensors` have a row for each sample, `parameters` sum over the samples. What the
    number does not depend on has no entry. `tensors` are layers by their full names,
    from the last to the first.
    """

    value: float
    inputs: Arrays
    parameters: Arrays
    tensors: Arrays


def gradient_of_output(
    graph: Graph, given: Any, output: str | None, weights: Any, training: bool, seed: int
) -> Gradient:
    """The derivatives of the sum of an output's numbers, or of a layer's; raises `CallError`."""
    if output is None:
        if len(graph.outputs) > 1:
            rendered = ", ".join(graph.outputs)
            raise CallError(f"{graph.name} has several outputs, choose one: {rendered}")
        (output,) = graph.outputs
    try:
        node = label_of(graph, output)
    except KeyError as error:
        raise CallError(str(error.args[0])) from None
    graph = replace(initialise(graph, seed), outputs={output: node})
    feeds = feeds_of(graph, given)
    shape = shaped(graph[node], graph, feeds)
    try:
        along = np.broadcast_to(np.asarray(1.0 if weights is None else weights, float), shape)
    except (TypeError, ValueError):
        rendered = "numbers of another shape" if np.shape(weights) else kind_of(weights)
        raise CallError(f"weights are {rendered}, and {output} is {shape}") from None
    return derived(graph, feeds, output, along, training, seed)


def gradient_of_loss(graph: Graph, given: Any, target: Any, training: bool, seed: int) -> Gradient:
    """The derivatives of the loss of `net.fit` by this target; raises `CallError`."""
    graph = initialise(graph, seed)
    feeds = feeds_of(graph, given)
    targets = target if isinstance(target, Mapping) else {"target": target}
    plan = plan_for(graph, {**feeds, **targets}, None, 1, 1)
    (step,) = plan.steps
    samples = samples_in_memory(plan.data, {**feeds, **targets})
    taken = samples.take(np.arange(len(samples)))
    values = {f"{graph.name}.{name}": array for name, array in graph.values.items()}
    whole = replace(step.graph, values=values)
    found = derived(whole, taken, step.objective, None, training, seed)
    own = f"{graph.name}."
    return Gradient(
        found.value,
        {name: array for name, array in found.inputs.items() if name in feeds},
        {name.removeprefix(own): array for name, array in found.parameters.items()},
        {n.removeprefix(own): a for n, a in found.tensors.items() if n.startswith(own)},
    )


def feeds_of(graph: Graph, given: Any) -> dict[str, NDArray[Any]]:
    """What is given, as one batch by input; raises `CallError`."""
    runnable = runnable_of_graph(graph, Engine("numpy"))
    taken: list[dict[str, NDArray[Any]]] = []

    def keep(feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        taken.append(feeds)
        return {}

    samples = samples_by_input(runnable, given, "none")
    check = partial(check_sizes, runnable.inputs, runnable.violated)
    size = len(next(iter(samples.values())))
    for _ in run_batches(Runner("numpy", keep), samples, size=size, check=check):
        pass
    if len(taken) != 1:
        raise CallError("the samples have several sizes: give those of one size at a time")
    return taken[0]


def shaped(node: Node, graph: Graph, feeds: Mapping[str, NDArray[Any]]) -> tuple[int, ...]:
    """The shape of a layer's tensor with what is fed, batch first."""
    given = [each for each in graph.inputs() if each.name in feeds]
    sizes = symbol_values(given, feeds)
    count = len(next(iter(feeds.values())))
    return (count, *(evaluate(size, sizes) for size in node.shape))


def derived(
    graph: Graph,
    feeds: Mapping[str, NDArray[Any]],
    output: str,
    along: NDArray[Any] | None,
    training: bool,
    seed: int,
) -> Gradient:
    """The derivatives by everything, in training or after it."""
    if training:
        graph = in_training(graph)
    masks = {
        node.name: draw_mask(node.name, shaped(node, graph, feeds), node.op.p, seed, 0)
        for node in graph.inputs()
        if isinstance(node.op, Mask)
    }
    found = backward(graph, {**feeds, **masks}, output, np.float64, along)
    inputs = {node.name for node in graph.inputs()}
    learned = {name for name, weight in graph.parameters().items() if not weight.buffer}
    return Gradient(
        found.objective,
        {name: a for name, a in found.by_tensor.items() if name in inputs - masks.keys()},
        {name: a for name, a in found.by_parameter.items() if name in learned},
        {name: a for name, a in found.by_tensor.items() if name not in inputs},
    )
