"""Everything a picture needs, whatever is open: the boxes with their faces, rows and lanes.

Both forms of a picture come from it, the SVG with some blocks open and the page with all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from compiler.analysis import Analysis
from compiler.graph import Graph
from netc.boxes import Box, nest
from netc.plot.faces import SMALL, Face, face_of, shared_with, title_of
from netc.plot.flows import BodyFlows, TensorFlow, bodies
from netc.plot.lanes import Arrangement, arrange, tensors_of
from netc.plot.words import show_dims, width_of


@dataclass(frozen=True)
class PlanItem:
    """One box: `face` is its closed form; the rest is for blocks when they are open.

    `labels` has for each tensor of the arrangement the shape that is written where it begins, or
    empty; `leaving` has the shape of each tensor that leaves. `ports` has for each piece of line
    which of the tensors that leave the child above it is, and which of those that enter the child
    below (0 for a layer).
    """

    box: Box
    face: Face
    title: Face | None = None
    children: tuple[int, ...] = ()
    arrangement: Arrangement | None = None
    labels: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class BoxTree:
    """The boxes in the order of the definition, the network first; the width of each label.

    One that is `turned` flows to the right: x is then down and y to the right, a face's width is
    what it takes across the flow and its height along it.
    """

    items: tuple[PlanItem, ...]
    widths: dict[str, float]
    turned: bool = False


@dataclass
class _Planning:
    """A plan while it grows."""

    graph: Graph
    bodies: dict[Box, BodyFlows]
    items: list[PlanItem | None] = field(default_factory=list)
    known: dict[object, Arrangement] = field(default_factory=dict)

    def add(self, box: Box, *, shared: bool = False) -> int:
        """Plan a box and all inside it; `shared` says that a box around it tells of sharing."""
        index = len(self.items)
        self.items.append(None)
        like = "" if shared else shared_with(box)
        if box not in self.bodies:
            self.items[index] = PlanItem(box, face_of(box, like))
            return index
        leaving = tuple(self.dims(name) for name in self.bodies[box].outs)
        face = Face(0, 0, "") if box.kind == "net" else face_of(box, like, leaving)
        children = tuple(self.add(child, shared=shared or bool(like)) for child in box.children)
        body = self.bodies[box]
        arrangement = self.arranged(box, body, children)
        self.items[index] = PlanItem(
            box,
            face,
            None if box.kind == "net" else title_of(box, like),
            children,
            arrangement,
            self.labels(body),
            leaving,
            self.ports(box, body, arrangement),
        )
        return index

    def arranged(self, box: Box, body: BodyFlows, children: Sequence[int]) -> Arrangement:
        """The arrangement of a body, one object for all that are alike."""
        plain = tuple(
            c.layer is not None and c.layer.node.op.name == "identity" for c in box.children
        )
        number = {name: str(index) for index, name in enumerate(tensors_of(body))}
        flows = tuple(self.placed(box, body, flow, children) for flow in body.flows)
        flows = tuple(replace(flow, tensor=number[flow.tensor]) for flow in flows)
        key = (len(body.ins), len(body.outs), flows, plain)
        if key not in self.known:
            self.known[key] = arrange(replace(body, flows=flows), plain)
        return self.known[key]

    def placed(
        self, box: Box, body: BodyFlows, flow: TensorFlow, children: Sequence[int]
    ) -> TensorFlow:
        """A flow with where along the widths of the blocks at its ends it leaves and enters."""
        out, into, main = 0.0, 0.0, True
        if inside := self.inside(box, body, flow.source):
            arrangement = self.arrangement(children[flow.source])
            port = inside.outs.index(flow.tensor)
            out = shift(arrangement.leaving, port)
            main = len(inside.outs) == 1 or arrangement.is_main(port, leaving=True)
        if inside := self.inside(box, body, flow.target):
            arrangement = self.arrangement(children[flow.target])
            port = inside.ins.index(flow.tensor)
            into = shift(arrangement.entering, port)
            main = main and arrangement.is_main(port, leaving=False)
        return replace(flow, out=out, into=into, main=main)

    def arrangement(self, index: int) -> Arrangement:
        """The arrangement of a block that is planned already."""
        item = self.items[index]
        assert item is not None and item.arrangement is not None
        return item.arrangement

    def labels(self, body: BodyFlows) -> tuple[str, ...]:
        """The shape of each tensor that begins at a child and that a child takes."""
        made = {flow.tensor for flow in body.flows if flow.source < body.children}
        used = {flow.tensor for flow in body.flows if flow.target < body.children}
        inner = made & used
        return tuple(self.dims(name) if name in inner else "" for name in tensors_of(body))

    def dims(self, tensor: str) -> str:
        """A tensor's shape as it is written on its line."""
        return show_dims(self.graph[tensor].shape, self.graph.facts)

    def ports(
        self, box: Box, body: BodyFlows, arrangement: Arrangement
    ) -> tuple[tuple[int, int], ...]:
        """Where each piece of line meets the children at its ends."""
        tensors, found = tensors_of(body), []
        for number, above, below, _ in arrangement.pieces:
            out = self.inside(box, body, arrangement.nodes[above])
            into = self.inside(box, body, arrangement.nodes[below])
            name = tensors[number]
            found.append((out.outs.index(name) if out else 0, into.ins.index(name) if into else 0))
        return tuple(found)

    def inside(self, box: Box, body: BodyFlows, node: int | None) -> BodyFlows | None:
        """The body of the block at a place, if it is one."""
        if node is None or node >= body.children:
            return None
        return self.bodies.get(box.children[node])


def shift(places: Sequence[int], port: int) -> float:
    """Where one of the ports lies that are spread over a width, from -0.5 to 0.5."""
    return (places[port] + 1) / (len(places) + 1) - 0.5


def plan_of(graph: Graph, analysis: Analysis) -> BoxTree:
    """The plan of a network."""
    net = nest(graph, analysis)
    planning = _Planning(graph, bodies(net))
    planning.add(net)
    items = tuple(item for item in planning.items if item is not None)
    texts = dict.fromkeys(text for item in items for text in (*item.labels, *item.leaving))
    return BoxTree(items, {text: width_of(text, SMALL) for text in texts})


def turned(plan: BoxTree) -> BoxTree:
    """The plan of the same picture with its flow to the right."""
    items = tuple(
        replace(item, face=Face(item.face.height, item.face.width, item.face.svg))
        for item in plan.items
    )
    return BoxTree(items, plan.widths, turned=True)
