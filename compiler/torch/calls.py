"""The calls of blocks in a graph as a tree: which layers belong to which call.

A call that adds no level to the names of its layers has none of its own: its layers are those of
the call around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from compiler.graph import Graph, Input, Node
from grammar.diagnostics import CallStep, LoopTurn
from grammar.records import dataclass

Member: TypeAlias = "Node | CallScope"


@dataclass
class CallScope:
    """A call of a block, or the net: its layers and calls in order, what goes in and comes out.

    `path` begins the names of its layers; `shares` is the path of the call whose parameters it
    uses, if they are not its own. One that `borrows` takes nothing but how many samples there are.
    `turns` are those of the definition's loops around each member, by its local name.
    """

    path: str
    step: CallStep | None = None
    members: list[Member] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    shares: str = ""
    borrows: bool = False
    turns: dict[str, tuple[LoopTurn, ...]] = field(default_factory=dict)

    def nodes(self) -> Iterator[Node]:
        """All layers, those of the calls inside too."""
        for member in self.members:
            if isinstance(member, Node):
                yield member
            else:
                yield from member.nodes()

    def calls(self) -> list[CallScope]:
        """The calls directly inside."""
        return [member for member in self.members if isinstance(member, CallScope)]

    @property
    def height(self) -> int:
        """How deep calls are nested inside."""
        return max((call.height + 1 for call in self.calls()), default=0)

    def local(self, name: str) -> str:
        """What a layer or call inside is called from here."""
        return name[len(self.path) + 1 :] if self.path else name

    def owns(self, name: str) -> bool:
        """Whether a name is that of a layer inside."""
        return not self.path or name.startswith(self.path + ".")


def call_tree(graph: Graph, *, flat: bool = False) -> CallScope:
    """The net as a scope; when `flat` without calls."""
    root = CallScope("")
    own = {node.name for node in graph.nodes()}
    stack = [root]
    for node in graph.nodes():
        if isinstance(node.op, Input):
            continue
        steps, path = [], ""
        turns: tuple[LoopTurn, ...] = ()
        for step in node.call_stack:
            turns += step.loops
            if step.name != path and step.name not in own and not flat:
                steps.append((step, turns))
                path, turns = step.name, ()
        while len(stack) > 1 and stack[-1].path not in {step.name for step, _ in steps}:
            stack.pop()
        for step, around in steps[len(stack) - 1 :]:
            inner = CallScope(step.name, step)
            stack[-1].members.append(inner)
            stack[-1].turns[stack[-1].local(step.name)] = around
            stack.append(inner)
        stack[-1].members.append(node)
        stack[-1].turns[stack[-1].local(node.name)] = turns + node.loops
    connect(graph, root, graph.users())
    return root


def connect(graph: Graph, scope: CallScope, users: Mapping[str, list[Node]]) -> None:
    """Find what each call takes and gives, and whose parameters it uses."""
    wanted = set(graph.outputs.values())
    for inner in scope.calls():
        inside = {node.name for node in inner.nodes()}
        for node in inner.nodes():
            for source in node.inputs:
                if source not in inside and source not in inner.inputs:
                    inner.inputs.append(source)
            outside = any(user.name not in inside for user in users[node.name])
            if outside or node.name in wanted:
                inner.outputs.append(node.name)
        if not inner.inputs:  # by any tensor of the net it learns how many samples there are
            inner.borrows = True
            inner.inputs.append(scope.inputs[0] if scope.inputs else graph.inputs()[0].name)
        inner.shares = shared_path(graph, inner)
        connect(graph, inner, users)


def shared_path(graph: Graph, scope: CallScope) -> str:
    """The path of the call whose parameters a call uses, layer for layer; empty for its own."""
    found: set[str] = set()
    for node in scope.nodes():
        if not graph.weights(node):
            continue
        rest = "." + scope.local(node.name)
        if not node.parameters_of.endswith(rest):
            return ""
        found.add(node.parameters_of.removesuffix(rest))
    path = found.pop() if len(found) == 1 else scope.path
    return "" if path == scope.path else path
