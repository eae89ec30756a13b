"""A `train` item becomes a `TrainingPlan`: its statements read, its steps put together and checked.

whole         the graph of everything that is computed
expressions   calls of nets, losses, arithmetic
statements    data, steps, updates, settings
doubts        what is valid and hardly meant
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from compiler.builtins import BUILTINS
from compiler.elaborate.state import WORDS_OF_STEP
from compiler.graph import Draft, Graph
from compiler.ops.losses import Accuracy
from compiler.symbols.modules import Closure
from compiler.symbols.names import children
from compiler.training.doubts import MOST_NAMED, doubts
from compiler.training.model import ShowPlan, StepPlan, TrainedNet, TrainingPlan, UpdatePlan
from compiler.training.statements import StepDeclarations, TrainingReader, UpdateDeclaration
from compiler.training.whole import Whole
from compiler.values import Mistake, Scope, Tensor, unknown
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix, deduplicate, nearest
from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class ElaboratedTraining:
    """A training, None after a mistake, what was found in it, and how much there was to do."""

    training: TrainingPlan | None
    diagnostics: tuple[Diagnostic, ...]
    steps: int


def elaborate_training(
    item: Closure, overrides: Mapping[str, Any] | None = None
) -> ElaboratedTraining:
    """Read and check a `train` item; `overrides` are values for its parameters."""
    definition = item.definition
    whole = Whole(Draft(item.name))
    scope = Scope(item.scope)
    reader = TrainingReader(item, whole, scope)
    for parameter in definition.parameters:
        with reader.reporting():
            bind_parameter(reader, parameter, overrides or {}, scope)
    assert reader.declared.outside is not None
    reader.run(definition.body.statements, reader.declared.outside, scope)
    training = None
    if not reader.failed:
        with reader.reporting():
            training = assemble(reader)
    taken = whole.looks + len(whole.graph) + sum(len(net.graph) for net in whole.nets.values())
    taken += reader.evaluate.worked // WORDS_OF_STEP
    if reader.failed or training is None:
        return ElaboratedTraining(None, tuple(deduplicate(reader.diagnostics)), taken)
    return ElaboratedTraining(training, tuple(doubts(training)), taken)


def bind_parameter(
    reader: TrainingReader, parameter: s.Parameter, overrides: Mapping[str, Any], scope: Scope
) -> None:
    """A parameter of the training: overridden, or by default; raises E202 without either."""
    name = parameter.name.id
    if name in overrides:
        scope.values[name] = overrides[name]
        return
    with reader.losing(scope, parameter.name):
        if parameter.default is None:
            raise Mistake(
                "E202",
                f"training {reader.item.name} needs a value for `{name}`",
                parameter.span,
                help=f"give a default, or --set {name}=…",
            )
        scope.values[name] = reader.evaluate(parameter.default, scope)


def assemble(reader: TrainingReader) -> TrainingPlan:
    """The training of what was said; raises E702 to E704 for what is missing or leads nowhere."""
    declared, item = reader.declared, reader.item
    steps, order = steps_of(reader)
    place = item.definition.name.span
    if not declared.data and not declared.noises:
        raise missing(item, "data", "data image: f32[1, 28, 28], label: class[10]")
    for word, example in (("batch", "batch 64"), ("epochs", "epochs 10")):
        if word not in declared.settings:
            raise missing(item, word, example)
    learned = [
        [(update, learned_by(reader, update, step)) for update in step.updates] for step in steps
    ]
    moved = {name for one in learned for _, names in one for name in names}
    plans = []
    for index, step in enumerate(steps):
        plans.append(plan(reader, steps, index, step, learned[index], moved))
    constants = check_expects(reader, plans)
    outputs: dict[str, str] = {}
    for step_plan in plans:
        outputs |= dict(step_plan.graph.outputs)
    evaluation = replace(reader.whole.upstream(list(outputs.values()), place), outputs=outputs)
    shows = tuple(show_of(reader, name, tensor, st) for name, tensor, st in declared.shows)
    return TrainingPlan(
        name=item.name,
        span=place,
        data=tuple(declared.data.values()),
        noises=tuple(declared.noises),
        augments=tuple(declared.augments),
        nets=tuple(TrainedNet(net.prefix, net.graph) for net in reader.whole.nets.values()),
        steps=tuple(plans),
        order=tuple(order),
        evaluation=evaluation,
        batch=declared.settings["batch"][0],
        epochs=declared.settings["epochs"][0],
        shows=shows,
        expects=tuple(declared.expects),
        constants=constants,
        doc=item.definition.doc,
    )


def missing(item: Closure, what: str, example: str) -> Mistake:
    """The mistake of a training that does not say something."""
    return Mistake(
        "E702",
        f"training {item.name} says no `{what}`",
        item.definition.name.span,
        help=f"write: {example}",
    )


def steps_of(reader: TrainingReader) -> tuple[list[StepDeclarations], list[int]]:
    """The steps and their order; without `step` the training itself is the only one."""
    declared, item = reader.declared, reader.item
    outside = declared.outside
    assert outside is not None
    if not declared.steps:
        steps, order = [outside], [0]
    else:
        steps, order = declared.steps, declared.order
        loose = outside.objective[0].span if outside.objective else None
        loose = outside.updates[0].statement.span if outside.updates else loose
        if loose is not None:
            raise Mistake(
                "E702",
                "with `step`s, every objective and update stands in one",
                loose,
                help="step { … }",
            )
        steps[0].reports += outside.reports
    for step in steps:
        word = f"training {item.name}" if step is outside else "this step"
        if step.objective is None:
            help = "minimize cross_entropy(scores.logits, label)"
            raise Mistake("E702", f"{word} has no objective", first_word(step), help=help)
        if not step.updates:
            help = "update net with adam(1e-3)"
            raise Mistake("E702", f"{word} updates nothing", first_word(step), help=help)
    return steps, order


def first_word(step: StepDeclarations) -> Span:
    """Where a message about a step is placed: at its first word."""
    span = step.span
    return Span(span.source, span.start, span.start + len(span.text.split(None, 1)[0]))


def learned_by(
    reader: TrainingReader, update: UpdateDeclaration, step: StepDeclarations
) -> tuple[str, ...]:
    """The parameters that an update moves, by their names in the steps' graphs; raises E704."""
    found: list[str] = []
    patterns = [str(reader.evaluate(text, reader.scope)) for text in update.statement.only]
    used = dict.fromkeys(patterns, False)
    for name, net_name in update.nets:
        net = reader.whole.nets.get(net_name)
        if net is None:
            raise untouched(name, net_name)
        weights = net.graph.parameters().items()
        reader.whole.look(len(weights) * max(1, len(patterns)), update.statement.span)
        learned = [n for n, w in weights if not w.buffer and w.values is None]
        if not learned:
            raise Mistake(
                "E704",
                f"net {net_name} has nothing to learn",
                name.span,
                label="it holds no learned parameters",
            )
        for parameter in learned:
            hits = [p for p in patterns if fnmatchcase(parameter, p)]
            used.update(dict.fromkeys(hits, True))
            if hits or not patterns:
                found.append(f"{net_name}.{parameter}")
    for text, pattern in zip(update.statement.only, patterns, strict=True):
        if not used[pattern]:
            nets = [reader.whole.nets[name].graph for _, name in update.nets]
            names = [name for graph in nets for name in graph.parameters()]
            near = nearest(pattern, names)
            raise Mistake(
                "E704",
                f'no parameter is called like "{pattern}"',
                text.span,
                notes=[f"there are {', '.join(names[:MOST_NAMED])}{'…' if names[8:] else ''}"],
                help=f'did you mean "{near}"?' if near else None,
                fixes=[Fix(f'replace with "{near}"', text.span, f'"{near}"')] if near else [],
            )
    return tuple(dict.fromkeys(found))


def untouched(name: s.Name, net: str) -> Mistake:
    """The mistake of updating a net that no gradient reaches."""
    return Mistake(
        "E704",
        f"the objective does not depend on net {net}",
        name.span,
        label="there is no gradient to follow",
    )


def plan(
    reader: TrainingReader,
    steps: list[StepDeclarations],
    index: int,
    step: StepDeclarations,
    learned: list[tuple[UpdateDeclaration, tuple[str, ...]]],
    moved: set[str],
) -> StepPlan:
    """One step's graph and updates; raises E703 and E704."""
    assert step.objective is not None
    statement, tensor = step.objective
    whole = reader.whole
    objective = "loss" if len(steps) == 1 else f"loss{index + 1}"
    outputs = {objective: str(tensor.node)}
    outputs |= {name: str(reported.node) for name, reported, _ in step.reports}
    needed = whole.upstream(list(outputs.values()), statement.span)
    graph = replace(needed, outputs=outputs, name=whole.graph.name)
    behind = whole.upstream([str(tensor.node)], statement.span)
    check_derivative(statement, behind)
    touched = behind.parameters()
    updates = []
    taken: dict[str, Span] = {}
    for update, names in learned:
        for name, net in update.nets:
            if not any(p in touched for p in names if p.startswith(f"{net}.")):
                raise untouched(name, net)
        for parameter in names:
            if parameter in taken:
                raise Mistake(
                    "E704",
                    f"`{parameter}` is updated twice in a step",
                    update.statement.span,
                    label=f"first at line {taken[parameter].line}",
                )
            taken[parameter] = update.statement.span
        reached = tuple(name for name in names if name in touched)
        updates.append(UpdatePlan(reached, update.optimiser, update.statement.span))
    return StepPlan(
        name="step" if len(steps) == 1 else f"step{index + 1}",
        graph=graph,
        objective=objective,
        maximize=statement.maximize,
        reports=tuple(name for name, _, _ in step.reports),
        updates=tuple(updates),
        evaluated=evaluated(whole, graph, moved),
        span=statement.span,
        accumulate=reader.declared.settings.get("accumulate", (1, statement.span))[0],
    )


def check_derivative(statement: s.Objective, behind: Graph) -> None:
    """Raise E703 for an objective that counts."""
    for node in behind.nodes():
        if isinstance(node.op, Accuracy):
            raise Mistake(
                "E703",
                "accuracy has no gradient: it counts",
                node.span,
                help="minimize cross_entropy(…) and report accuracy(…)",
            )


def evaluated(whole: Whole, graph: Graph, moved: set[str]) -> frozenset[str]:
    """The layers of a step that run as after training: see `StepPlan.evaluated`."""
    learning = {name.partition(".")[0] for name in moved}
    found = set()
    for node in graph.nodes():
        net = whole.net_of.get(node.name)
        if net is None:
            continue
        held = [w for w in graph.weights(node) if not w.buffer and w.values is None]
        frozen = held and not any(node.array(w.name) in moved for w in held)
        if net not in learning or frozen:
            found.add(node.name)
    return frozenset(found)


def check_expects(reader: TrainingReader, plans: Iterable[StepPlan]) -> dict[str, Any]:
    """The values that contracts name; raises E702 for one about what nobody reports."""
    known = {name for plan in plans for name in (plan.objective, *plan.reports)}
    constants: dict[str, Any] = {}
    for condition in reader.declared.expects:
        if not isinstance(condition, s.Comparison):
            raise Mistake(
                "E205",
                "a training is expected to reach a number",
                condition.span,
                help="expect accuracy >= 0.97",
            )
        names = list(names_in(condition))
        for name in names:
            is_known = name.id in known or name.id in BUILTINS
            if not is_known and reader.scope.value(name.id) is None:
                near = nearest(name.id, known)
                help = f"report {name.id}(…) as well; there are {', '.join(sorted(known))}"
                raise unknown(
                    f"nothing reports `{name.id}`", name.span, near, code="E702", help=help
                )
        if not any(name.id in known for name in names):
            raise Mistake(
                "E702",
                "this expects nothing of what is reported",
                condition.span,
                label=f"there are {', '.join(sorted(known))}",
            )
        measured = dict.fromkeys(known, 0.5)
        reader.evaluate.truth(condition, Scope(reader.scope, measured))
        values = {name.id: reader.scope.value(name.id) for name in names if name.id not in known}
        constants |= {name: value for name, value in values.items() if value is not None}
    return constants


def names_in(root: s.Syntax) -> Iterable[s.Name]:
    """Every name below a node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, s.Name):
            yield node
        waiting += children(node)


def show_of(reader: TrainingReader, name: str, tensor: Tensor, statement: s.Show) -> ShowPlan:
    """`show G(z) grid 8x8 as samples`"""
    graph = reader.whole.upstream([str(tensor.node)], statement.span)
    rows, columns = statement.grid.extents
    graph = replace(graph, outputs={name: str(tensor.node)})
    return ShowPlan(name, graph, rows, columns, statement.span)
