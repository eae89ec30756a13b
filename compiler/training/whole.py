"""The graph of a whole training while its statements are read: every tensor that any of them names.

Each step takes of it what its objective and reports need. A net that is called stands in it layer
by layer; the first call owns the parameters, every later one shares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from compiler.domain import Facts
from compiler.elaborate.state import MOST_NODES
from compiler.graph import Draft, Graph, Input, Node
from compiler.ops.base import Op, Shape
from compiler.ops.shapes import infer
from compiler.symbols.modules import Closure
from compiler.values import Tensor, TooMuch
from grammar.diagnostics import CallStep
from grammar.records import dataclass
from grammar.source import Span

MOST_LOOKS = 20 * MOST_NODES  # layers and parameters that a training goes through


@dataclass(frozen=True)
class Called:
    """What a call of a net gives: its outputs and its named tensors, by their names there."""

    net: str
    outputs: Mapping[str, Tensor]
    tensors: Mapping[str, Tensor]

    @property
    def single(self) -> Tensor | None:
        """The only output, if there is only one."""
        return next(iter(self.outputs.values())) if len(self.outputs) == 1 else None


@dataclass
class UsedNet:
    """A net that the training calls: its graph (of the first call), how often it is called.

    `overrides` and `sizes` are the values of its parameters and symbols in the first call.
    """

    block: Closure
    prefix: str
    graph: Graph
    overrides: Mapping[str, object]
    sizes: Mapping[str, int]
    span: Span
    calls: int = 0

    def is_called_so(
        self, block: Closure, overrides: Mapping[str, object], sizes: Mapping[str, int]
    ) -> bool:
        """Whether this is the net, and called as it was first."""
        same = block.definition is self.block.definition
        return same and overrides == self.overrides and sizes == self.sizes


@dataclass
class Whole:
    """The nodes so far; `net_of` says to which net a layer belongs, `classes` what is a class.

    `classes` maps an integer input to how many classes it has; `looks` counts what `look` was told.
    """

    graph: Draft
    facts: Facts = field(default_factory=Facts)
    nets: dict[str, UsedNet] = field(default_factory=dict)
    net_of: dict[str, str] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    noises: set[str] = field(default_factory=set)
    named_calls: dict[str, Called] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    most: int = MOST_NODES
    looks: int = 0
    _positions: dict[str, int] = field(default_factory=dict, repr=False)

    def node_of(self, tensor: Tensor) -> Node:
        """The node that makes a tensor."""
        assert tensor.node is not None
        return self.graph[tensor.node]

    def add_input(self, name: str, shape: Shape, dtype: str, span: Span) -> Tensor:
        """Data, a label or noise."""
        self.graph.add(Node(name, Input(dtype), (), shape, span))
        return Tensor(name, shape)

    def apply(self, op: Op, sources: Sequence[Tensor], span: Span) -> Tensor:
        """Add a layer outside of any net; raises `ShapeError`."""
        self.check_room(1, span)
        shape = infer(op, tuple(source.shape for source in sources), self.facts)
        name = self.unused(op.name)
        inputs = tuple(source.node for source in sources if source.node is not None)
        self.graph.add(Node(name, op, inputs, shape, span))
        return Tensor(name, shape)

    def check_room(self, more: int, span: Span) -> None:
        """Raise `TooMuch` where so many more layers would be too many."""
        if len(self.graph) + more > self.most:
            raise TooMuch("E209", f"a training has at most {self.most:_} layers", span)

    def unused(self, word: str) -> str:
        """The next name for an op that has none."""
        while True:
            count = self.counts[word] = self.counts.get(word, 0) + 1
            name = f"{word}{count}"
            if name not in self.graph and name not in self.nets:
                return name

    def inline(self, net: UsedNet, graph: Graph, given: Sequence[Tensor], span: Span) -> Called:
        """Add the layers of one more call of a net, fed by what is given."""
        self.check_room(len(graph), span)
        self.look(sum(len(node.inputs) for node in graph.nodes()), span)
        net.calls += 1
        prefix = net.prefix if net.calls == 1 else f"{net.prefix}#{net.calls}"
        step = CallStep(net.prefix, span, prefix, span.text if len(span.text) < 60 else net.prefix)
        made: dict[str, Tensor] = {}
        sources = iter(given)
        for node in graph.nodes():
            if isinstance(node.op, Input):
                made[node.name] = next(sources)
                continue
            name = f"{prefix}.{node.name}"
            owner = f"{net.prefix}.{node.parameters_of}"
            inputs = tuple(str(made[source].node) for source in node.inputs)
            call_stack = (step, *node.call_stack)
            inner = replace(
                node,
                name=name,
                inputs=inputs,
                call_stack=call_stack,
                owner="" if owner == name else owner,
            )
            self.graph.add(inner)
            self.net_of[name] = net.prefix
            made[node.name] = Tensor(name, node.shape)
        outputs = {name: made[node] for name, node in graph.outputs.items()}
        named = {name: made[node] for name, node in graph.tensors.items() if node in made}
        return Called(net.prefix, outputs, {**named, **outputs})

    def look(self, count: int, span: Span) -> None:
        """Count layers or parameters that a statement has to do with; raises `TooMuch`."""
        self.looks += count
        if self.looks > MOST_LOOKS:
            raise TooMuch(
                "E209",
                f"a training goes through more than {MOST_LOOKS:_} layers and parameters",
                span,
                help="fewer steps, updates or shows of so large a network",
            )

    def upstream(self, names: Sequence[str], span: Span) -> Graph:
        """The part of the graph that these tensors need, for what is said at `span`."""
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += self.graph[name].inputs
        self.look(len(wanted), span)
        order = self.positions()
        nodes = {name: self.graph[name] for name in sorted(wanted, key=order.__getitem__)}
        return self.graph.finished(layers=nodes)

    def positions(self) -> dict[str, int]:
        """Where each node stands in the order in which they were added."""
        if len(self._positions) != len(self.graph):
            self._positions = {node.name: at for at, node in enumerate(self.graph.nodes())}
        return self._positions
