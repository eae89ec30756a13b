"""How large residual branches start, so that activations stay tame through depth.

He et al. (2015) keep the size of what flows through a chain of layers. A residual network adds its
branches to what flows, and each that is as large as its shortcut doubles the variance: 600 blocks
overflow float32. So the last layer of each residual branch, its normalisation or else its
convolution, starts 1/sqrt(L) times as large where L sums follow one another: all L branches
together then add about as much as the shortcut brought. GPT-2 starts so (Radford et al. 2019,
section 2.3); Hayou et al. ("Stable ResNet", 2021) prove why it works; Fixup (Zhang et al. 2019) and
SkipInit (De and Smith 2020) are its kin. A branch that starts at 0, as theirs do, would leave
nothing to run and to verify. A branch that ends in a rectifier is never below 0: L of them add up
as L, not as its root, and each starts at 1/L. Where n branches of a sum are equally deep none of
them is a shortcut, and each starts at 1/sqrt(n). An `init` that the definition gives is left as it
stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from compiler.graph import Graph, Input, Node
from compiler.ops.arguments import FITTED

SUMS = frozenset(["add", "sub"])
JOINS = SUMS | {"concat", "max", "min", "mean"}
NORMS = frozenset(["bn", "groupnorm", "layernorm", "instancenorm"])
GATES = frozenset(["sigmoid", "hardsigmoid", "softmax", "log_softmax", "softplus"])
ODD = frozenset(["tanh", "softsign"])  # of the activations: as often above 0 as below
POSITIVE = frozenset(["abs", "max", "maxpool", "gmp"])
Depths = dict[str, int | None]


def initial_gains(graph: Graph) -> dict[str, float]:
    """The factor of each weight that starts smaller or larger than usual, by full name."""
    return {
        f"{graph[name].parameters_of}.weight": factor
        for name, factor in branch_factors(graph).items()
        if graph[name].op.name in NORMS or graph.weights(graph[name])[0].init == FITTED
    }


def depths(graph: Graph) -> Depths:
    """The most layers with weights on a path from an input to each; None where none leads there."""
    found: Depths = {}
    for node in graph.nodes():
        if isinstance(node.op, Input):
            found[node.name] = 0
            continue
        taken = [d for name in node.inputs if (d := found[name]) is not None]
        found[node.name] = max(taken) + node.op.holds_weights if taken else None
    return found


def branch_factors(graph: Graph) -> dict[str, float]:
    """How much smaller than usual the last layers of the branches of sums start, by name."""
    depth = depths(graph)
    branches: list[tuple[str, int]] = []  # each with the depth of its shortcut
    factors: dict[str, float] = {}
    sums: dict[str, int] = {}  # how many residual sums lead to a tensor
    for node in graph.nodes():
        sums[node.name] = max((sums[name] for name in node.inputs), default=0)
        ends = {name: d for name in node.inputs if (d := depth[name]) is not None}
        if node.op.name not in SUMS or len(ends) < 2:
            continue
        least = min(ends.values())
        level = [name for name, d in ends.items() if d == least]
        branches += [(name, least) for name in ends if name not in level]
        sums[node.name] += len(level) < len(ends)
        for name in level if len(level) > 1 else ():
            for last, _ in last_layers(graph, depth, name, least - 1):
                factors[last.name] = 1 / math.sqrt(len(level))
    for name, least in branches:
        for last, positive in last_layers(graph, depth, name, least):
            factors[last.name] = max(sums.values()) ** (-1.0 if positive else -0.5)
    return factors


def last_layers(
    graph: Graph, depth: Depths, branch: str, below: int
) -> Iterator[tuple[Node, bool]]:
    """The layers whose size is that of a branch: the last with weights, deeper than `below`.

    Each with whether what it makes is above 0 on average, once the branch is through with it.
    """
    waiting, seen = [(branch, False)], set[str]()
    while waiting:
        name, positive = waiting.pop()
        if name in seen or (depth[name] or 0) <= below:
            continue
        seen.add(name)
        node = graph[name]
        inputs = node.inputs[:1]
        if node.op.holds_weights or (node.op.name in NORMS and graph.weights(node)):
            yield node, positive
            continue
        if node.op.name in GATES:  # behind it numbers are as large whatever is before
            continue
        if node.op.name == "mul":  # what is gated, not the gate
            reached = (any(last_layers(graph, depth, i, below)) for i in node.inputs)
            inputs = tuple(i for i, found in zip(node.inputs, reached, strict=True) if found)[:1]
        elif node.op.name in JOINS:
            inputs = node.inputs
        positive |= node.op.name in POSITIVE or (
            node.op.group == "activate" and node.op.name not in ODD
        )
        waiting += [(i, positive) for i in inputs]
