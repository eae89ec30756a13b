"""The tensors that flow between the boxes of one block, and through its border."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from netc.boxes import Box


@dataclass(frozen=True)
class TensorFlow:
    """A tensor from one place of a block to another, `times` times (`add(x, x)` takes it twice).

    The places are numbered: the block's children in order, then the tensors that enter (`ins`),
    then those that leave (`outs`). `out` and `into` say where along its boxes' widths it leaves
    and enters, from -0.5 to 0.5; it is `main` when it is on the axis of both.
    """

    tensor: str
    source: int
    target: int
    times: int = 1
    out: float = 0.0
    into: float = 0.0
    main: bool = True


@dataclass(frozen=True)
class BodyFlows:
    """What flows in a block: the tensors that enter and leave it, and every flow."""

    children: int
    ins: tuple[str, ...]
    outs: tuple[str, ...]
    flows: tuple[TensorFlow, ...]


@dataclass
class _Growing:
    """A body while its flows are found."""

    children: int
    ins: dict[str, None] = field(default_factory=dict)
    outs: dict[str, None] = field(default_factory=dict)
    uses: dict[tuple[str, int | None, int | None], int] = field(default_factory=dict)

    def use(self, tensor: str, source: int | None, target: int | None, times: int = 1) -> None:
        """A tensor from one child to another; None is the border."""
        if source is None:
            self.ins[tensor] = None
        if target is None:
            self.outs[tensor] = None
        self.uses[tensor, source, target] = times

    def body(self) -> BodyFlows:
        """The finished body, its places numbered."""
        ins, outs = list(self.ins), list(self.outs)
        first_out = self.children + len(ins)
        entered = {tensor: self.children + i for i, tensor in enumerate(ins)}
        left = {tensor: first_out + i for i, tensor in enumerate(outs)}
        flows = tuple(
            TensorFlow(
                tensor,
                entered[tensor] if source is None else source,
                left[tensor] if target is None else target,
                times,
            )
            for (tensor, source, target), times in self.uses.items()
        )
        return BodyFlows(self.children, tuple(ins), tuple(outs), flows)


def bodies(net: Box) -> dict[Box, BodyFlows]:
    """For the network and each of its blocks what flows in it."""
    growing: dict[Box, _Growing] = {}
    places: dict[tuple[str, str], list[tuple[Box, int]]] = {}
    for box, place in walk(net, []):
        if box.children:
            growing[box] = _Growing(len(box.children))
        else:
            places["output" if box.kind == "output" else "", box.name] = place
    for box, _ in walk(net, []):
        key = ("output" if box.kind == "output" else "", box.name)
        for tensor, times in Counter(taken(box)).items():
            connect(growing, tensor, places["", tensor], places[key], times)
    return {box: one.body() for box, one in growing.items()}


def walk(box: Box, place: list[tuple[Box, int]]) -> Iterator[tuple[Box, list[tuple[Box, int]]]]:
    """Every box with its place: the blocks around it from outside in, each with a child's index."""
    yield box, place
    for index, child in enumerate(box.children):
        yield from walk(child, [*place, (box, index)])


def taken(box: Box) -> tuple[str, ...]:
    """The tensors that a layer or an output takes, in order."""
    if box.kind == "output":
        return (box.tensor,)
    return box.layer.node.inputs if box.layer is not None else ()


def connect(
    growing: dict[Box, _Growing],
    tensor: str,
    source: list[tuple[Box, int]],
    target: list[tuple[Box, int]],
    times: int,
) -> None:
    """Draw one tensor from its layer out of the blocks around it and into those of its user."""
    common = 0  # levels down to the innermost block that holds both
    while source[common] == target[common]:
        common += 1
    for block, index in source[:common:-1]:
        growing[block].use(tensor, index, None)
    last = len(target) - 1
    for level in range(common, last + 1):
        block, index = target[level]
        came_from = source[common][1] if level == common else None
        growing[block].use(tensor, came_from, index, times if level == last else 1)
