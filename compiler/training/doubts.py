"""What a checked training says that is valid and hardly meant: warnings W701 to W704."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.ops.losses import Loss
from compiler.ops.scale import Scale
from compiler.training.model import StepPlan, TrainingPlan, UpdatePlan
from compiler.training.optimisers import Optimiser, Sgd
from compiler.training.schedules import Schedule, Steps, Warmup
from grammar.diagnostics import Diagnostic
from grammar.source import Span

MOST_NAMED = 8  # parameters that a message names
LARGEST_SIZE = 1.0  # of a step of adam and its like: initial weights are smaller
LARGEST_SHARE = 100.0  # of the gradient in a step of sgd


def doubts(training: TrainingPlan) -> Iterator[Diagnostic]:
    """All of them, in the order of their codes."""
    yield from unreached(training)
    updates = [update for step in training.steps for update in step.updates]
    for update in updates:
        yield from wild_rate(update)
    for update in updates:
        yield from too_late(update, training.epochs)
    if len(training.steps) == 1:
        yield from enlarged(training.steps[0])


def unreached(training: TrainingPlan) -> Iterator[Diagnostic]:
    """W701: parameters of an updated net that no gradient reaches: they stay as they are."""
    places: dict[str, Span] = {}  # where each net is updated first, by its prefix
    for step in training.steps:
        for update in step.updates:
            for parameter in update.parameters:
                places.setdefault(parameter.partition(".")[0], update.span)
    touched = set().union(*(step.graph.parameters() for step in training.steps))
    for net in training.nets:
        if net.prefix not in places:
            continue
        left = [
            name
            for name, weight in net.graph.parameters().items()
            if not weight.buffer and weight.values is None and f"{net.prefix}.{name}" not in touched
        ]
        if left:
            shown = ", ".join(left[:MOST_NAMED]) + ("…" if left[MOST_NAMED:] else "")
            yield Diagnostic.of(
                "W701",
                f"no gradient reaches a part of net {net.prefix}",
                places[net.prefix],
                label="these stay as they are",
                notes=(shown,),
                help="let the objective depend on them, or leave them out with `only`",
                severity="warning",
            )


def wild_rate(update: UpdatePlan) -> Iterator[Diagnostic]:
    """W702: a rate with which nothing can be learned."""
    complaint = beyond(update.optimiser)
    if complaint:
        yield Diagnostic.of(
            "W702",
            complaint,
            update.span,
            help="adam is mostly given 1e-3, sgd 0.1 to 0.01",
            severity="warning",
        )


def beyond(optimiser: Optimiser) -> str:
    """What is wrong with the largest rate of an optimiser; empty where nothing is.

    Every optimiser but sgd divides by the size of the gradient, so that its rate is how far each
    number moves in a step.
    """
    rate = highest(optimiser.rate)  # type: ignore[attr-defined]
    if isinstance(optimiser, Sgd):
        limit, does = LARGEST_SHARE, "goes far beyond any minimum"
    else:
        limit, does = LARGEST_SIZE, "moves every parameter by about as much in a step"
    return f"{optimiser.name} with a rate of {rate:g} {does}" if rate >= limit else ""


def highest(rate: float | Schedule) -> float:
    """The rate of a schedule before it falls."""
    return highest(rate.rate) if isinstance(rate, Schedule) else rate  # type: ignore[attr-defined]


def too_late(update: UpdatePlan, epochs: int) -> Iterator[Diagnostic]:
    """W703: a schedule that would change the rate when all epochs are done."""
    rate = update.optimiser.rate  # type: ignore[attr-defined]
    for at, what in changes(rate):
        if at >= epochs:
            count = f"{epochs} epoch{'s' if epochs != 1 else ''}"
            yield Diagnostic.of(
                "W703",
                f"{what} at epoch {at:,g}, and there are {count}",
                update.span,
                help="the schedule is in epochs, not in steps",
                severity="warning",
            )
            return


def changes(rate: float | Schedule) -> Iterator[tuple[float, str]]:
    """The epochs at which a schedule does something, and what that is."""
    if isinstance(rate, Warmup):
        yield rate.epochs, "the rate is warm"
        yield from changes(rate.rate)
    if isinstance(rate, Steps):
        yield from ((at, "the rate changes") for at in rate.at)


def enlarged(step: StepPlan) -> Iterator[Diagnostic]:
    """W704: the only objective is a loss, and it is made as large as it can be."""
    graph, turned = step.graph, step.maximize
    node = graph[graph.outputs[step.objective]]
    while isinstance(node.op, Scale) and isinstance(node.op.factor, float):
        turned ^= node.op.factor < 0
        node = graph[node.inputs[0]]
    if turned and isinstance(node.op, Loss):
        yield Diagnostic.of(
            "W704",
            f"{node.op.name} is made as large as it can be: it is a loss",
            step.span,
            help=f"minimize {node.span.text}",
            severity="warning",
        )
