"""One engine for every rewrite of a graph: the optimisation passes and the importers' tidying.

A rewrite is a function that edits a `Rewriting` in place: a valid graph goes in, and a valid graph
with the same outputs must come out. Layers that lead to no output go after each rewrite, with the
numbers that nothing uses any more. With the environment variable NETC_DEBUG set, as the tests have
it, the graph is verified after each.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping
from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from compiler.domain import Facts
from compiler.graph import Graph, Input, Node, shapes_taken
from compiler.ops.base import Op, Shapes
from compiler.ops.shapes import infer
from compiler.verify import verify
from grammar.diagnostics import DefinitionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


class Arrays(MutableMapping[str, "NDArray[np.float32]"]):
    """The numbers of a graph being edited, by full name, and the names by layer.

    The name alone does not tell whose an array is: see `Graph.owners`. One that a rewrite made is
    called after its layer.
    """

    def __init__(self, graph: Graph) -> None:
        self._owners = dict(graph.owners) if graph.values else {}
        self._arrays: dict[str, NDArray[np.float32]] = {}
        self._of: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.update(graph.values)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._arrays[name]

    def __setitem__(self, name: str, array: NDArray[np.float32]) -> None:
        self._arrays[name] = array
        self._of[self._owner(name)][name] = None

    def __delitem__(self, name: str) -> None:
        del self._arrays[name], self._of[self._owner(name)][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def _owner(self, name: str) -> str:
        return self._owners.get(name) or name.rpartition(".")[0]

    def forget(self, layer: str, heir: str) -> None:
        """Take away a layer's arrays; another layer, if there is one, has them from now on."""
        for name in list(self._of[layer]):
            array = self.pop(name)
            if heir:
                inherited = heir + name.removeprefix(layer)
                self.pop(inherited, None)
                self._owners[inherited] = heir
                self[inherited] = array


class Rewriting:
    """A graph being edited: nodes in order, who takes each tensor, numbers.

    `kept` are the layers whose names stay, as long as they have their numbers; `constants` those
    that an importer takes for a factor and offset of each channel; layers of `own` keep their
    numbers as they are.
    """

    def __init__(
        self,
        graph: Graph,
        kept: Collection[str] = (),
        constants: Collection[str] = (),
        own: Collection[str] = (),
    ) -> None:
        self.graph = graph
        self.kept = set(kept)
        self.constants = frozenset(constants)
        self.own = frozenset(own)
        self.nodes: dict[str, Node] = {}
        self._places: dict[str, tuple[int, ...]] = {}  # by which the nodes are in order
        self._written = 0
        self.outputs = dict(graph.outputs)
        self.values = Arrays(graph)
        self.sharers: defaultdict[str, list[str]] = defaultdict(list)
        self._takers: defaultdict[str, list[str]] = defaultdict(list)
        for node in graph.nodes():
            self.put(node)

    @property
    def facts(self) -> Facts:
        """What is known of the symbolic sizes."""
        return self.graph.facts

    def each(self) -> Iterator[Node]:
        """The nodes in order, each as it is when its turn comes; those that have gone are not."""
        for name in self._in_order():
            if name in self.nodes:
                yield self.nodes[name]

    def shapes(self, node: Node) -> Shapes:
        """The shapes per sample of what a node takes."""
        return shapes_taken(node.op, [self.nodes[name] for name in node.inputs])

    def put(self, node: Node) -> None:
        """Write a node in the place of the one of its name, or behind the others."""
        if node.name in self.nodes:
            self._unlink(self.nodes[node.name])
        else:
            self._written += 1
            self._places[node.name] = (self._written, 0)
        self.nodes[node.name] = node
        for name in node.inputs:
            self._takers[name].append(node.name)
        if node.owner:
            self.sharers[node.owner].append(node.name)

    def _unlink(self, node: Node) -> None:
        """Forget what a node takes and shares."""
        for name in node.inputs:
            self._takers[name].remove(node.name)
        if node.owner:
            self.sharers[node.owner].remove(node.name)

    def uses(self, name: str) -> int:
        """How often a tensor is taken now, by layers and as an output."""
        return len(self._takers[name]) + sum(made == name for made in self.outputs.values())

    def shares(self, node: Node) -> bool:
        """Whether a layer's parameters are another's too."""
        return bool(node.owner or self.sharers[node.name])

    def before(self, node: Node) -> Node | None:
        """The layer that makes a layer's single input, when nothing else takes what it makes."""
        if len(node.inputs) != 1 or self.uses(node.inputs[0]) != 1:
            return None
        source = self.nodes[node.inputs[0]]
        return None if isinstance(source.op, Input) else source

    def chains(self, *ops: type[Op]) -> Iterator[list[Node]]:
        """The layers of each private chain of these ops, as the graph is when its turn comes."""
        return filter(None, (self.chain(node, *ops) for node in self.each()))

    def chain(self, node: Node, *ops: type[Op]) -> list[Node] | None:
        """The private layers of these ops that end in `node`, in their order, if they are there."""
        found = [node]
        for op in reversed(ops[:-1]):
            source = self.before(found[0])
            if source is None or not isinstance(source.op, op):
                return None
            found.insert(0, source)
        return found if isinstance(node.op, ops[-1]) else None

    def become(self, node: Node, op: Op, first: Node) -> None:
        """`node` becomes `op` on the inputs of `first`; the layers between them go."""
        shape = infer(op, self.shapes(first), self.facts)
        owner = node.owner if type(op) is type(node.op) else ""
        self.put(replace(node, op=op, inputs=first.inputs, shape=shape, owner=owner))

    def absorb(self, node: Node, source: Node, op: Op) -> None:
        """`node` becomes `op`, and takes the inputs and parameters of the layer before it."""
        self._unlink(self.nodes.pop(source.name))
        self.put(replace(source, name=node.name, op=op, shape=node.shape, owner=source.name))

    def insert(self, node: Node, before: str) -> None:
        """Put a new layer in front of another, behind those that were put there already."""
        self.put(node)
        self._written += 1
        nearer = self._written - sys.maxsize  # below 0, where that layer itself has its end
        self._places[node.name] = (*self._places[before][:-1], nearer, 0)

    def _in_order(self) -> list[str]:
        """The layers' names, inputs before users."""
        return sorted(self.nodes, key=self._places.__getitem__)

    def drop(self, name: str, instead: str) -> None:
        """Take a layer out; its users take `instead`."""
        for taker in dict.fromkeys(self._takers[name]):
            node = self.nodes[taker]
            inputs = tuple(instead if i == name else i for i in node.inputs)
            self.put(replace(node, inputs=inputs))
        self.outputs = {o: instead if n == name else n for o, n in self.outputs.items()}
        self.remove(name)

    def remove(self, name: str) -> None:
        """Take out a layer that has no users left, with its numbers."""
        self._unlink(self.nodes.pop(name))
        self.forget(name)

    def forget(self, name: str) -> None:
        """Take away a layer's numbers, and its name's right to stay.

        Layers that shared its parameters have them from the first of them from now on.
        """
        self.kept.discard(name)
        heir, *others = list(self.sharers[name]) or [""]
        for sharer in (heir, *others) if heir else ():
            owner = "" if sharer == heir else heir
            self.put(replace(self.nodes[sharer], owner=owner))
        self.values.forget(name, heir)

    def weight(self, node: Node, name: str) -> Any:
        """An array of a layer, None where there are no numbers."""
        return self.values.get(node.array(name))

    def finished(self) -> Graph:
        """The edited graph, without layers that lead to no output; inputs stay."""
        layers = [self.nodes[name] for name in self._in_order()]
        fed = [node.name for node in layers if isinstance(node.op, Input)]
        wanted = [*self.outputs.values(), *fed]
        left = needed(wanted, layers, lambda node: (node.name,), lambda node: node.inputs)
        names = {node.name for node in left}
        for node in reversed(layers):  # those that share before those whose parameters they are
            if node.name not in names:
                self._unlink(node)
                if self.sharers[node.name]:
                    self.forget(node.name)
        left = [self.nodes[node.name] for node in left]
        if self._is_as_before(left):
            return self.graph
        graph = self.graph.rebuilt(left, outputs=self.outputs, values={})
        if not self.values:
            return graph
        held = graph.parameters()
        return graph.with_values({n: value for n, value in self.values.items() if n in held})

    def _is_as_before(self, left: list[Node]) -> bool:
        """Whether nothing was changed: what the graph knows of its layers then need not go."""
        before = self.graph
        return (
            len(left) == len(before)
            and all(map(is_, left, before.nodes()))
            and self.outputs == before.outputs
            and self.values.keys() == before.values.keys()
            and all(value is before.values[name] for name, value in self.values.items())
        )


Rewrite: TypeAlias = Callable[[Rewriting], None]


def rewritten(graph: Graph, rewrite: Rewrite) -> Graph:
    """The graph after one rewrite."""
    return edited(Rewriting(graph), rewrite)


def edited(rewriting: Rewriting, rewrite: Rewrite) -> Graph:
    """What a rewrite makes of a graph being edited.

    In debug mode it is verified: raises `DefinitionError` where the rewrite broke it.
    """
    rewrite(rewriting)
    graph = rewriting.finished()
    if os.environ.get("NETC_DEBUG"):
        broken = verify(graph)
        if broken:
            raise DefinitionError(broken)
    return graph


def needed(
    outputs: Iterable[str],
    steps: Collection[T],
    makes: Callable[[T], Iterable[str]],
    takes: Callable[[T], Iterable[str]],
) -> list[T]:
    """The steps that some outputs need, in their order: none takes what a later one makes."""
    wanted, kept = set(outputs), []
    for step in reversed(list(steps)):
        if not wanted.isdisjoint(makes(step)):
            kept.append(step)
            wanted.update(takes(step))
    return kept[::-1]
