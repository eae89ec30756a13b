"""A net around a mistake: which changes of its text there are, and what each would make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from compiler.bind import argument_of
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Shape, ShapeError
from compiler.ops.shapes import infer
from compiler.remedies.changes import (
    ROUNDS,
    BlockCall,
    Change,
    is_fixed_in_text,
    is_literal,
    is_only_handed_on,
    keeping_size,
    parameter_of,
    resized,
    variants,
)
from compiler.remedies.edits import fix_of
from grammar import syntax as s
from grammar.diagnostics import Fix, together
from grammar.records import dataclass
from grammar.source import Span

Fits = Callable[[Shape], bool]


@dataclass(frozen=True)
class ChangedTogether:
    """The layers that change together; `passed` is as in `Change`."""

    nodes: tuple[Node, ...]
    passed: tuple[BlockCall, str] | None = None


@dataclass(frozen=True)
class Surroundings:
    """A graph, the shapes that its assertions allow where they hold, its stages by their spans.

    `calls` are the block calls by their spans, `inputs` the declarations by those of their names.
    """

    graph: Graph
    held: Mapping[str, Fits]
    stages: Mapping[Span, s.Stage]
    calls: Mapping[Span, BlockCall]
    inputs: Mapping[Span, s.InputDeclaration]

    def reinferred(self, nodes: Iterable[Node], change: Change) -> dict[str, Shape] | None:
        """The shapes that change among `nodes`, inputs first; None when something breaks."""
        changed = change.inputs
        for node in nodes:
            touched = node.name in change.names or not changed.keys().isdisjoint(node.inputs)
            if isinstance(node.op, Input) or not touched:
                continue
            inputs = tuple(changed.get(n, self.graph[n].shape) for n in node.inputs)
            try:
                shape = infer(change.op(node), inputs, self.graph.facts)
            except ShapeError:
                return None
            if shape != node.shape:
                if not self.held.get(node.name, anything)(shape):
                    return None
                changed[node.name] = shape
        return changed

    def trials(self, nodes: Iterable[Node], wanted: Shape | None = None) -> Iterator[Change]:
        """Single changes of these layers to try, those that leave the weights alone first."""
        nodes = list(nodes)
        for names in ROUNDS:
            for node in nodes:
                if isinstance(node.op, Input):
                    yield from resized(node) if names is ROUNDS[0] else ()
                    continue
                for argument, values in variants(node, wanted, names):
                    reached = self.reached(node, argument)
                    if reached is None:
                        continue
                    for value in values:
                        yield Change(reached.nodes, argument, value, passed=reached.passed)

    def reached(self, node: Node, argument: str) -> ChangedTogether | None:
        """What changes with an argument of a layer: all whose argument stands at the same place.

        None when a block's parameter, which means more than this argument, gives it.
        """
        stage = self.stages.get(node.span)
        if is_fixed_in_text(stage, argument, node.op):
            return ChangedTogether(self.siblings(node))
        call = self.calls.get(node.call_stack[-1].span) if node.call_stack else None
        parameter = parameter_of(stage, argument, node.op, call)
        if call is None or parameter is None:
            return ChangedTogether((node,))
        given = argument_of(call.stage, parameter, call.parameters)
        if given is not None and not is_literal(given):
            return None
        if not is_only_handed_on(call, parameter, argument):
            return None
        nodes = [node]
        for other in self.called.get(call.stage.span, ()):
            if other.name == node.name:
                continue
            if parameter_of(self.stages.get(other.span), argument, other.op, call) == parameter:
                nodes.append(other)
        return ChangedTogether(tuple(nodes), (call, parameter))

    def paddings(self, nodes: Iterable[Node]) -> Iterator[Change]:
        """The nearest two, three, … unpadded layers padded so that each keeps its size."""
        found: dict[str, Node] = {}
        pads: set[int] = set()
        for node in nodes:
            pad = keeping_size(node)
            if pad is None or node.name in found:
                continue
            if not is_fixed_in_text(self.stages.get(node.span), "pad", node.op):
                continue
            found |= {n.name: n for n in self.siblings(node)}
            pads.add(pad)
            if len({n.span for n in found.values()}) > 1:
                value = pads.copy().pop() if len(pads) == 1 else "half"
                yield Change(tuple(found.values()), "pad", value)

    def siblings(self, node: Node) -> tuple[Node, ...]:
        """The layers that the same stage of the text makes, this one first."""
        others = (n for n in self.made.get(node.span, ()) if n.name != node.name)
        return (node, *(n for n in others if type(n.op) is type(node.op)))

    @cached_property
    def made(self) -> dict[Span, list[Node]]:
        """The layers that each stage of the text makes."""
        return grouped((node.span, node) for node in self.graph.nodes())

    @cached_property
    def called(self) -> dict[Span, list[Node]]:
        """The layers that stand in the block which each call of the text calls."""
        return grouped((n.call_stack[-1].span, n) for n in self.graph.nodes() if n.call_stack)

    def fixes(self, changes: list[Change], *, as_one: bool = False) -> list[Fix]:
        """Changes as edits of the text; `as_one` are changes that are needed together."""
        edits = [fix_of(change, self.stages, self.inputs) for change in changes]
        if as_one:
            edits = [together(" and ".join(map(str, changes)), edits)]
        return [edit for edit in edits if edit is not None]


def changed_graph(around: Surroundings, change: Change) -> Graph | None:
    """The whole graph after a change; None when the change breaks something."""
    nodes = list(around.graph.nodes())
    changed = around.reinferred(nodes, change)
    if changed is None:
        return None
    return around.graph.rebuilt(
        [replace(n, op=change.op(n), shape=changed.get(n.name, n.shape)) for n in nodes]
    )


def grouped(pairs: Iterable[tuple[Span, Node]]) -> dict[Span, list[Node]]:
    """The layers of each place."""
    found: dict[Span, list[Node]] = {}
    for span, node in pairs:
        found.setdefault(span, []).append(node)
    return found


def anything(shape: Shape) -> bool:
    """No assertion: any shape will do."""
    return True
