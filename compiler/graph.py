"""The checked network: a directed graph of nodes that each make one tensor.

The graph is kept as its nodes in the order of the definition, each with its inputs, which is all
that the checks look at; `Graph.digraph` is the same as a networkx graph, for everything else. It
is made when it is first asked for, since importing networkx takes as long as checking ten nets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from compiler.domain import Domain, Facts
from compiler.ops.base import Op, Shape, Shapes, Weight
from compiler.ops.gathering import rows_of
from compiler.ops.joins import Join, lined_up
from grammar.diagnostics import CallStep, LoopTurn
from grammar.records import dataclass
from grammar.source import Span

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Input(Op, name="input"):
    """The op of a node that the caller feeds; `picture` says how a photograph becomes it."""

    least_inputs: ClassVar[int] = 0

    dtype: str = "f32"
    picture: Any = None


@dataclass(frozen=True)
class Assumed(Op, name="assumed"):
    """The op of a tensor that a mistake has lost, of the shape that the definition asserts.

    Or, where it asserts none, of the shape that the layer at fault most likely makes.
    """

    least_inputs: ClassVar[int] = 0

    likely: bool = False


@dataclass(frozen=True)
class Node:
    """One layer and the tensor it makes, both called `name`.

    `inputs` are node names in order (a DiGraph folds parallel edges, `add(x, x)` needs both);
    `owner` is the layer whose parameters it uses: itself, unless the definition says `like`;
    `loops` are the turns of the loops around it in its call, outermost first.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    span: Span
    call_stack: tuple[CallStep, ...] = ()
    owner: str = ""
    loops: tuple[LoopTurn, ...] = field(default=(), compare=False, repr=False)

    @property
    def parameters_of(self) -> str:
        """The name of the layer that owns this layer's parameters."""
        return self.owner or self.name

    def array(self, name: str) -> str:
        """The full name of one of its arrays: `conv1.weight`; a nameless one is called as it is."""
        return f"{self.parameters_of}.{name}" if name else self.parameters_of


def is_whole(node: Node) -> bool:
    """Whether a tensor holds whole numbers, of 64 bits."""
    return isinstance(node.op, Input) and node.op.dtype == "i64"


def shapes_taken(op: Op, sources: Sequence[Node]) -> Shapes:
    """The shapes per sample of what an op takes from these layers."""
    shapes = tuple([source.shape for source in sources])
    if not isinstance(op, Join):
        return shapes
    return lined_up(shapes, (source.op.most_inputs == 0 for source in sources))


@contextmanager
def at_layer(name: str) -> Iterator[None]:
    """Let an error that passes through say at which layer it arose."""
    try:
        yield
    except Exception as error:
        if not getattr(error, "__notes__", ()):
            error.add_note(f"at layer {name}")
        raise


DERIVED = frozenset(["digraph", "owners", "_parameters", "_weights"])  # from the layers alone


@dataclass(frozen=True)
class Graph:
    """A network: layers by name, inputs before users; outputs by name; what its symbols obey.

    `values` holds the parameters' numbers by full name (`conv1.weight`) once there are any.
    `labels` gives the class names of an output, `tensors` the node of each tensor named in the
    net's own braces.
    """

    name: str
    layers: Mapping[str, Node] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    domain: Domain | None = None
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    tensors: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Node:
        return self.layers[name]

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def __len__(self) -> int:
        return len(self.layers)

    @cached_property
    def digraph(self) -> nx.DiGraph:
        """The networkx graph: an edge from each input to its user; `node` and `rank` of a name."""
        import networkx as nx

        digraph = nx.DiGraph()
        for rank, node in enumerate(self.layers.values()):
            digraph.add_node(node.name, node=node, rank=rank)
        digraph.add_edges_from((s, n.name) for n in self.layers.values() for s in n.inputs)
        return digraph

    def nodes(self) -> Iterator[Node]:
        """The nodes in topological order, ties in the order of the definition: always the same."""
        return iter(self.layers.values())

    def inputs(self) -> tuple[Node, ...]:
        """The input nodes in the order of the definition."""
        return tuple(node for node in self.nodes() if isinstance(node.op, Input))

    def input_shapes(self, node: Node) -> Shapes:
        """The shapes per sample of what a node takes."""
        return shapes_taken(node.op, [self[name] for name in node.inputs])

    def weights(self, node: Node) -> tuple[Weight, ...]:
        """The arrays that a node holds."""
        known = self._weights.get(node.name)
        if known is None or known[0] is not node:
            known = self._weights[node.name] = (node, node.op.weights(self.input_shapes(node)))
        return known[1]

    @cached_property
    def _weights(self) -> dict[str, tuple[Node, tuple[Weight, ...]]]:
        """The arrays of the nodes that were asked for, by name."""
        return {}

    def upstream(self, names: Iterable[str]) -> list[Node]:
        """The layers of these names and everything they depend on, in order."""
        import networkx as nx

        found = set(names)
        found = found.union(*(nx.ancestors(self.digraph, name) for name in found))
        return [node for node in self.nodes() if node.name in found]

    def users(self) -> dict[str, list[Node]]:
        """For each node the nodes that take its tensor, in order."""
        found: dict[str, list[Node]] = {name: [] for name in self.layers}
        for node in self.nodes():
            for source in dict.fromkeys(node.inputs):
                found[source].append(node)
        return found

    def unused(self) -> list[Node]:
        """The layers and inputs whose tensors nothing takes, outputs of the network left out."""
        taken = {source for node in self.nodes() for source in node.inputs}
        taken.update(self.outputs.values())
        return [node for node in self.nodes() if node.name not in taken]

    def parameters(self) -> dict[str, Weight]:
        """Every array by its full name, shared ones once, in the order of the layers."""
        return dict(self._parameters)

    @cached_property
    def _parameters(self) -> dict[str, Weight]:
        found: dict[str, Weight] = {}
        for node in self.nodes():
            for weight in self.weights(node):
                found.setdefault(node.array(weight.name), weight)
        return found

    @cached_property
    def owners(self) -> dict[str, str]:
        """The layer that each array is a part of, by the array's full name.

        The name alone does not tell: a layer may be called `conv1.bias`, and a nameless array is
        called as its layer.
        """
        return {
            node.array(weight.name): node.parameters_of
            for node in self.nodes()
            for weight in self.weights(node)
        }

    def with_domain(self, domain: Domain) -> Graph:
        """This graph with its valid input sizes."""
        return replace(self, domain=domain)

    def with_values(self, values: Mapping[str, NDArray[np.float32]]) -> Graph:
        """This graph with other numbers; what was found out about its layers is still known."""
        graph = replace(self, values=values)
        graph.__dict__.update((name, self.__dict__[name]) for name in DERIVED & {*self.__dict__})
        return graph

    def rebuilt(self, nodes: Iterable[Node], **changes: Any) -> Graph:
        """This graph with other nodes, given in an order in which inputs come first."""
        return replace(self, layers={node.name: node for node in nodes}, **changes)


def limits_of(graph: Graph) -> dict[str, int]:
    """For each input of whole numbers what they lie below, by the smallest table they lead into."""
    found: dict[str, int] = {}
    for node in graph.nodes():
        for place in node.op.whole_inputs:
            source = graph[node.inputs[place]]
            rows = rows_of(node.op, graph.input_shapes(node))
            if is_whole(source) and rows is not None:
                found[source.name] = min(rows, found.get(source.name, rows))
    return found


class Draft(Graph):
    """A graph while it is built, layer by layer; `finished` is the graph that it has become."""

    def add(self, node: Node) -> None:
        """Add a node whose inputs are already there."""
        assert isinstance(self.layers, dict)
        self.layers[node.name] = node
        for derived in DERIVED:
            self.__dict__.pop(derived, None)

    def finished(self, **changes: Any) -> Graph:
        """What was built; `changes` are further fields, such as its outputs."""
        given = {f.name: getattr(self, f.name) for f in fields(Graph)}
        return Graph(**given | {"layers": dict(self.layers)} | changes)
