"""What the rewrites share: the layers as a dictionary that is edited and put together again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Input, Node
from compiler.importers.imported import Imported
from compiler.ops.base import Op
from compiler.ops.shapes import infer


class Rewriting:
    """An imported graph being edited: nodes in order, who takes each tensor, numbers."""

    def __init__(self, imported: Imported) -> None:
        self.imported = imported
        self.nodes: dict[str, Node] = {}
        self.outputs = dict(imported.graph.outputs)
        self.values: dict[str, NDArray[np.float32]] = dict(imported.graph.values)
        self.kept = set(imported.kept)
        self.sharers: defaultdict[str, list[str]] = defaultdict(list)
        self._takers: defaultdict[str, list[str]] = defaultdict(list)
        for node in imported.graph.nodes():
            self.put(node)

    def put(self, node: Node) -> None:
        """Write a node in the place of the one of its name, or behind the others."""
        if node.name in self.nodes:
            self._unlink(self.nodes[node.name])
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
        shapes = tuple(self.nodes[name].shape for name in first.inputs)
        shape = infer(op, shapes, self.imported.graph.facts)
        owner = node.owner if type(op) is type(node.op) else ""
        self.put(replace(node, op=op, inputs=first.inputs, shape=shape, owner=owner))

    def insert(self, node: Node, before: str) -> None:
        """Put a new layer in front of another."""
        self.put(node)
        items = [item for item in self.nodes.items() if item[0] != node.name]
        place = [name for name, _ in items].index(before)
        self.nodes = dict([*items[:place], (node.name, node), *items[place:]])

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
        for full in [key for key in self.values if key.rpartition(".")[0] == name]:
            value = self.values.pop(full)
            if heir:
                self.values[f"{heir}.{full.rpartition('.')[2]}"] = value

    def finished(self) -> Imported:
        """The edited graph, without layers that lead to no output."""
        needed = set(self.outputs.values())
        for name in reversed(list(self.nodes)):
            if name in needed:
                needed |= set(self.nodes[name].inputs)
        left = [n for n in self.nodes.values() if n.name in needed or isinstance(n.op, Input)]
        names = {node.name for node in left}
        graph = self.imported.graph.rebuilt(left, outputs=self.outputs, values=self.values)
        return replace(self.imported, graph=graph, kept=frozenset(self.kept & names))


def weight_of(rewriting: Rewriting, node: Node, name: str) -> Any:
    """An array of a layer, None where there are no numbers."""
    return rewriting.values.get(f"{node.parameters_of}.{name}")
