"""The output-size formula solved backwards: which change gives what was wanted.

From a layer that came out wrong the search walks back, nearest layer first, tries other values of
each layer's arguments and other sizes of the input, and infers again what lies between. A change
that would break an assertion that holds on the way is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from compiler.changes import (
    ROUNDS,
    Call,
    Change,
    argument_of,
    is_fixed_in_text,
    is_literal,
    is_only_handed_on,
    keeping_size,
    of_usual_size,
    parameter_of,
    resized,
    variants,
)
from compiler.dims import Dim
from compiler.edits import fix_of
from compiler.graph import Graph, Input, Node
from compiler.ops.base import Op, Shape, ShapeError
from compiler.shapes import infer
from grammar import syntax as s
from grammar.diagnostics import Fix
from grammar.source import Span

MOST_LAYERS = 24  # layers whose arguments are tried
MOST_INFERENCES = 20_000
MOST_SYMBOLIC = 500  # inferences of symbolic sizes, which take far longer
MOST_SHOWN = 3

Fits = Callable[[Shape], bool]
Shapes = dict[str, Shape]
Ops = dict[str, Op]


@dataclass(frozen=True)
class Surroundings:
    """A graph, the shapes that its assertions allow where they hold, its stages by their spans.

    `calls` are the block calls by their spans.
    """

    graph: Graph
    held: Mapping[str, Fits]
    stages: Mapping[Span, s.Stage]
    calls: Mapping[Span, Call]

    def reinferred(self, nodes: Iterable[Node], ops: Ops, shapes: Shapes) -> Shapes | None:
        """The shapes that change among `nodes`, inputs first; None when something breaks.

        `ops` are changed layers, `shapes` changed inputs.
        """
        changed = dict(shapes)
        for node in nodes:
            if node.name not in ops and not any(name in changed for name in node.inputs):
                continue
            inputs = tuple(changed.get(n, self.graph[n].shape) for n in node.inputs)
            try:
                shape = infer(ops.get(node.name, node.op), inputs, self.graph.facts)
            except ShapeError:
                return None
            if shape != node.shape:
                if not self.held.get(node.name, anything)(shape):
                    return None
                changed[node.name] = shape
        return changed

    def trials(
        self, nodes: Iterable[Node], wanted: Shape | None = None
    ) -> Iterator[tuple[Change, Ops, Shapes]]:
        """Single changes of these layers to try, those that leave the weights alone first."""
        nodes = list(nodes)
        for names in ROUNDS:
            for node in nodes:
                if isinstance(node.op, Input):
                    for new, old, shape in resized(node) if names is ROUNDS[0] else ():
                        yield Change((node,), "input", new, old), {}, {node.name: shape}
                    continue
                stage = self.stages.get(node.span)
                for argument, value in variants(node.op, wanted, names):
                    change = self.change(node, stage, argument, value)
                    if change is not None:
                        yield change, {n.name: change.op(n) for n in change.nodes}, {}

    def change(self, node: Node, stage: s.Stage | None, argument: str, value: Any) -> Change | None:
        """A change of a layer, and of all whose argument stands at the same place of the text.

        None when a block's parameter, which means more than this argument, gives it.
        """
        if is_fixed_in_text(stage, argument, node.op):
            return Change(self.siblings(node), argument, value)
        call = self.calls.get(node.trail[-1].span) if node.trail else None
        parameter = parameter_of(stage, argument, node.op, call)
        if call is None or parameter is None:
            return Change((node,), argument, value)
        given = argument_of(call.stage, parameter, call.parameters)
        if not is_only_handed_on(call, parameter, argument):
            return None
        if given is not None and not is_literal(given):
            return None
        nodes = [node]
        for other in self.graph.nodes():
            same = bool(other.trail) and other.trail[-1].span == call.stage.span
            its = self.stages.get(other.span)
            if same and parameter_of(its, argument, other.op, call) == parameter:
                nodes += [other] if other.name != node.name else []
        return Change(tuple(nodes), argument, value, passed=(call, parameter))

    def paddings(self, nodes: Iterable[Node]) -> Iterator[tuple[Change, Ops, Shapes]]:
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
                change = Change(tuple(found.values()), "pad", value)
                yield change, {n.name: change.op(n) for n in change.nodes}, {}

    def siblings(self, node: Node) -> tuple[Node, ...]:
        """The layers that the same stage of the text makes, this one first."""
        others = (n for n in self.graph.nodes() if n.span == node.span and n.name != node.name)
        return (node, *(n for n in others if type(n.op) is type(node.op)))

    def fixes(self, changes: list[Change]) -> list[Fix]:
        """Changes as edits of the text."""
        edits = (fix_of(change, self.stages) for change in changes)
        return [edit for edit in edits if edit is not None]


@dataclass(frozen=True)
class Search:
    """A layer that came out wrong, perhaps not even in the graph; `fits` says what would be right.

    `wanted` is its shape when that is known whole; what is right depends on the layers `fixed`,
    which therefore stay as they are.
    """

    around: Surroundings
    target: Node
    fits: Fits
    wanted: Shape | None = None
    fixed: frozenset[str] = frozenset()

    @cached_property
    def upstream(self) -> list[Node]:
        """What leads to the target, inputs first."""
        return self.around.graph.upstream(self.target.inputs)

    def nearest(self) -> list[Node]:
        """The target and what leads to it, nearest first; an input is as near as what takes it."""
        queue, seen = deque([self.target]), {self.target.name}
        found: list[Node] = []
        while queue and len(found) < MOST_LAYERS:
            node = queue.popleft()
            fresh = [
                self.around.graph[name] for name in dict.fromkeys(node.inputs) if name not in seen
            ]
            seen |= {source.name for source in fresh}
            found += [*(source for source in fresh if isinstance(source.op, Input)), node]
            queue += [source for source in fresh if not isinstance(source.op, Input)]
        return found

    def outcome(self, ops: Ops, shapes: Shapes) -> Shape | None:
        """The target's shape after a change; None when the change breaks something on the way."""
        changed = self.around.reinferred(self.upstream, ops, shapes)
        if changed is None:
            return None
        if not self.target.inputs:
            return changed.get(self.target.name, self.target.shape)
        graph = self.around.graph
        inputs = tuple(changed.get(n, graph[n].shape) for n in self.target.inputs)
        try:
            return infer(ops.get(self.target.name, self.target.op), inputs, graph.facts)
        except ShapeError:
            return None

    def solutions(self) -> list[Change]:
        """The changes that make it right, one for each layer and argument.

        The padding that keeps the size at stride 1 comes first, then what is nearest.
        """
        near = self.nearest()
        symbolic = any(isinstance(size, Dim) for node in near for size in node.shape)
        most = (MOST_SYMBOLIC if symbolic else MOST_INFERENCES) // (len(self.upstream) + 1)
        found: list[Change] = []
        for change in self.fitting(islice(self.around.trials(near, self.wanted), most)):
            if any(c.nodes == change.nodes and c.argument == change.argument for c in found):
                continue
            found.append(change)
            if len(found) == MOST_SHOWN:
                break
        found.sort(key=lambda change: not is_usual_padding(change))
        if not found or not is_usual_padding(found[0]):
            alike = islice(self.around.paddings(near), 1 + most // 8)
            found = [*islice(self.fitting(alike), 1), *found]
        return found[:MOST_SHOWN] or list(islice(self.fitting(self.usual_inputs()), 1))

    def fitting(self, trials: Iterable[tuple[Change, Ops, Shapes]]) -> Iterator[Change]:
        """Those changes that make it right."""
        for change, ops, shapes in trials:
            if not self.fixed.isdisjoint(node.name for node in change.nodes[:1]):
                continue
            shape = self.outcome(ops, shapes)
            if shape is None or not self.fits(shape):
                continue
            if self.around.reinferred(self.around.graph.nodes(), ops, shapes) is not None:
                yield change

    def inputs(self) -> Iterator[tuple[Change, Ops, Shapes]]:
        """The inputs at other sizes, the nearest first."""
        for node in self.upstream:
            for new, old, shape in sorted([*resized(node), *of_usual_size(node)]):
                if new > old:
                    yield Change((node,), "input", new, old), {}, {node.name: shape}

    def usual_inputs(self) -> Iterator[tuple[Change, Ops, Shapes]]:
        """The inputs at the sizes that networks are made for."""
        for node in self.upstream:
            for new, old, shape in of_usual_size(node):
                yield Change((node,), "input", new, old), {}, {node.name: shape}


def changed_graph(around: Surroundings, ops: Ops, shapes: Shapes) -> Graph | None:
    """The whole graph after a change; None when the change breaks something."""
    nodes = list(around.graph.nodes())
    changed = around.reinferred(nodes, ops, shapes)
    if changed is None:
        return None
    return around.graph.rebuilt(
        [replace(n, op=ops.get(n.name, n.op), shape=changed.get(n.name, n.shape)) for n in nodes]
    )


def is_usual_padding(change: Change) -> bool:
    """Whether a change pads an unpadded layer so that it keeps the size of its input."""
    return change.argument == "pad" and change.value == keeping_size(change.nodes[0])


def anything(shape: Shape) -> bool:
    """No assertion: any shape will do."""
    return True


def said(changes: list[Change], *, together: bool = False) -> str | None:
    """Solutions in words, each enough or all `together`; None for none."""
    if not changes:
        return None
    return (" and " if together else ", or ").join(map(str, changes)) + " would do"
