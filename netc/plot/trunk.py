"""Which flows of a block are its trunk and branches, and which are mere skips beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netc.plot.flows import BodyFlows, TensorFlow


@dataclass(frozen=True)
class Reaching:
    """What each place reaches, as a set of bits, and the length of its longest path onwards."""

    places: tuple[int, ...]
    length: tuple[int, ...]


def skips(body: BodyFlows, plain: Sequence[bool]) -> set[TensorFlow]:
    """The flows that go past a longer path between the same places.

    `plain` children change nothing (`identity`): a path through one is as good as a line.
    """
    forward = reaching(body, body.flows, backward=False)
    after: dict[int, list[TensorFlow]] = {}
    for flow in body.flows:
        after.setdefault(flow.source, []).append(flow)
    found: set[TensorFlow] = set()
    for flows in after.values():
        elsewhere = reached_by_others([flow.target for flow in flows], forward)
        for flow in flows:
            onward = [flow]
            if flow.target < body.children and plain[flow.target]:
                onward = after.get(flow.target, [flow])
            others = elsewhere[flow.target]
            if all(others >> end.target & 1 for end in onward) and onward:
                found |= {flow, *onward}
    return found


def reached_by_others(targets: Sequence[int], forward: Reaching) -> dict[int, int]:
    """For each target what the others reach, as a set of bits."""
    found = dict.fromkeys(targets, 0)
    for order in (list(found), list(reversed(found))):
        reached = 0
        for target in order:
            found[target] |= reached
            reached |= forward.places[target]
    return found


def weights(body: BodyFlows, skipped: set[TensorFlow]) -> tuple[set[TensorFlow], set[TensorFlow]]:
    """The flows that a place should stand below, and those that it should stand above.

    Branches count alike. A skip does not count, nor does a shorter branch that has nothing more to
    do with the longest one.
    """
    kept = [flow for flow in body.flows if flow not in skipped]
    down, up = (reaching(body, kept, backward=b) for b in (False, True))
    sources: dict[int, list[TensorFlow]] = {}
    targets: dict[int, list[TensorFlow]] = {}
    for flow in kept:
        sources.setdefault(flow.target, []).append(flow)
        targets.setdefault(flow.source, []).append(flow)
    above = chosen(sources, {f: f.source for f in kept}, up)
    below = chosen(targets, {f: f.target for f in kept}, down)
    return above, below


def chosen(
    groups: Mapping[int, list[TensorFlow]], end: Mapping[TensorFlow, int], reach: Reaching
) -> set[TensorFlow]:
    """Of the flows at each place those that lead the longest way, or meet one that does."""
    found: set[TensorFlow] = set()
    for flows in groups.values():
        longest = max(flows, key=lambda flow: reach.length[end[flow]])
        most, met = reach.length[end[longest]], reach.places[end[longest]]
        found |= {
            flow
            for flow in flows
            if reach.length[end[flow]] == most or reach.places[end[flow]] & met
        }
    return found


def reaching(body: BodyFlows, flows: Sequence[TensorFlow], *, backward: bool) -> Reaching:
    """What every place reaches along the flows, or against them."""
    count = body.children + len(body.ins) + len(body.outs)
    places, length = [1 << place for place in range(count)], [0] * count

    def order(flow: TensorFlow) -> tuple[bool, int]:
        """Flows from the border come first, then those between children in their order."""
        return (flow.source < body.children, flow.source)

    for flow in sorted(flows, key=order, reverse=not backward):
        start, end = (flow.target, flow.source) if backward else (flow.source, flow.target)
        places[start] |= places[end]
        length[start] = max(length[start], length[end] + 1)
    return Reaching(tuple(places), tuple(length))
