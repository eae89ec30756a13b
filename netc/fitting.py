"""`net.fit`: a net trained on arrays, without a `train` item.

Its outputs are held against the targets of their kind: whole numbers are classes (cross entropy of
what the softmax takes, and accuracy), anything else numbers (the mean square of the difference).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.elaborate.state import MOST_NODES
from compiler.graph import Draft, Graph, Input, Node
from compiler.ops.activate import Softmax
from compiler.ops.joins import Add
from compiler.ops.losses import Accuracy, CrossEntropy, SquaredError
from compiler.training.model import Data, StepPlan, TrainedNet, TrainingPlan, UpdatePlan
from compiler.training.optimisers import Adam, Optimiser
from compiler.training.whole import UsedNet, Whole
from compiler.values import Tensor
from grammar.source import Span
from runtime.errors import CallError


def plan_for(
    graph: Graph,
    data: Mapping[str, Any],
    optimiser: Optimiser | None,
    batch: int,
    epochs: int,
) -> TrainingPlan:
    """The training of a net on these arrays: one for each input, one for each output trained.

    A target goes by the name of its output, or is the only one beside the inputs. Raises
    `CallError`.
    """
    inputs = {node.name: node for node in graph.inputs()}
    span = next(iter(inputs.values())).span
    for node in inputs.values():
        if node.name not in data:
            raise CallError(f"the data has no {node.name}, which {graph.name} takes")
        if any(isinstance(size, Dim) for size in node.shape):
            raise CallError(
                f"{graph.name} takes any size of {node.name}: train it by a `train` item"
            )
    targets = {name: np.asarray(data[name]) for name in data if name not in inputs}
    outputs = outputs_for(graph, targets)
    whole = Whole(Draft(graph.name), most=2 * MOST_NODES)  # the net has kept its own limit
    parts = [part_of(whole, node) for node in inputs.values()]
    net = UsedNet(None, graph.name, graph, {}, {}, span)  # type: ignore[arg-type]
    given = [Tensor(node.name, node.shape) for node in inputs.values()]
    called = whole.inline(net, graph, given, span)
    losses: list[Tensor] = []
    reports: dict[str, Tensor] = {}
    for name, target in targets.items():
        tensor = called.outputs[outputs[name]]
        part, loss, report = compared(whole, name, target, tensor, span)
        parts.append(part)
        losses.append(loss)
        reports |= {} if report is None else {f"accuracy{len(reports) or ''}": report}
    total = losses[0] if len(losses) == 1 else whole.apply(Add(), losses, span)
    named = {"loss": str(total.node), **{k: str(v.node) for k, v in reports.items()}}
    step_graph = replace(whole.upstream(list(named.values()), span), outputs=named)
    learned = tuple(
        name for name, w in step_graph.parameters().items() if not w.buffer and w.values is None
    )
    if not learned:
        raise CallError(f"{graph.name} has nothing to learn")
    update = UpdatePlan(learned, optimiser or Adam(), span)
    plan = StepPlan("step", step_graph, "loss", False, tuple(reports), (update,), frozenset(), span)
    return TrainingPlan(
        graph.name,
        span,
        tuple(parts),
        (),
        (),
        (TrainedNet(graph.name, graph.with_values({})),),
        (plan,),
        (0,),
        step_graph,
        batch,
        epochs,
    )


def outputs_for(graph: Graph, targets: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """For each target the output that it is held against."""
    if not targets:
        raise CallError("there is no target in the data: an array beside those of the inputs")
    if len(targets) == 1 and len(graph.outputs) == 1:
        return {next(iter(targets)): next(iter(graph.outputs))}
    for name in targets:
        if name not in graph.outputs:
            rendered = ", ".join(graph.outputs)
            raise CallError(f"{name} is no output of {graph.name}; it has {rendered}")
    return {name: name for name in targets}


def part_of(whole: Whole, node: Node) -> Data:
    """An input of the net as a part of the samples."""
    shape = tuple(size for size in node.shape if isinstance(size, int))
    assert isinstance(node.op, Input)
    whole.add_input(node.name, shape, "f32", node.span)
    return Data(node.name, shape, shape, node.span, picture=node.op.picture)


def compared(
    whole: Whole, name: str, target: NDArray[Any], tensor: Tensor, span: Span
) -> tuple[Data, Tensor, Tensor | None]:
    """The target as a part of the samples, the loss, and the accuracy for classes."""
    if name == "loss":
        raise CallError("a target cannot be called loss, which is what is minimised")
    if target.dtype.kind in "iu" and target.ndim == 1:
        node = whole.node_of(tensor)
        if type(node.op) is Softmax:  # the loss does the softmax itself
            tensor = Tensor(node.inputs[0], whole.graph[node.inputs[0]].shape)
        if len(tensor.shape) != 1:
            raise CallError(f"{name} is classes, and the output has no scores: {tensor.shape}")
        classes = int(tensor.shape[0])  # type: ignore[arg-type]
        fed = whole.add_input(name, (), "i64", span)
        loss = whole.apply(CrossEntropy(), [tensor, fed], span)
        right = whole.apply(Accuracy(), [tensor, fed], span)
        return Data(name, (), (), span, classes=classes), loss, right
    shape = tuple(int(size) for size in tensor.shape)  # type: ignore[arg-type]
    fed = whole.add_input(name, shape, "f32", span)
    return Data(name, shape, shape, span), whole.apply(SquaredError(), [tensor, fed], span), None
