"""Seeded initial numbers for a network's parameters.

The draw of each array depends on the seed and on its own full name only, so adding or removing a
layer leaves every other layer's numbers as they were, but for how large residual branches start.
Formulas: he, He et al. 2015 (std sqrt(2/fan_in)); xavier, Glorot and Bengio 2010 (uniform up to
sqrt(6/(fan_in + fan_out))); lecun, LeCun et al. 1998 (std sqrt(1/fan_in)).

Residual branches start smaller, so that activations stay tame through depth. He et
al. (2015) keep the size of what flows through a chain of layers. A residual network adds its
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

import hashlib
import math
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Graph, Input, Node
from compiler.ops.arguments import FITTED
from compiler.ops.base import Weight
from compiler.verify import fault
from grammar.diagnostics import DefinitionError

BYTES = 4
WORTH_A_THREAD = 2**14  # numbers, which take about as long as a thread takes to begin
MOST_BYTES = 8 * 2**30  # of all parameters together; they are held twice while a file is written
SUMS = frozenset(["add", "sub"])
JOINS = SUMS | {"concat", "max", "min", "mean"}
MIXING = JOINS | {"mul"}  # whose tensor may be as large as that of any input
NORMS = frozenset(["bn", "groupnorm", "layernorm", "instancenorm"])
GATES = frozenset(["sigmoid", "hardsigmoid", "softmax", "log_softmax", "softplus"])
ODD = frozenset(["tanh", "softsign"])  # of the activations: as often above 0 as below
POSITIVE = frozenset(["abs", "max", "maxpool", "gmp"])
Depths = dict[str, int | None]


def generator(seed: int, name: str) -> np.random.Generator:
    """A stream of random numbers that depends on the seed and the name only."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))


def distribution(weight: Weight, gain: float = 1.0) -> tuple[str, float]:
    """What an array without values begins with: `constant` of a size, `normal` or `uniform` of it.

    The size is the number, the deviation, or the bound; `gain` times as large as usual.
    """
    init, _, argument = weight.init.partition("(")
    number = float(argument.rstrip(") ")) if argument else 0.0
    match init:
        case "zero" | "constant":
            return "constant", number * gain
        case "xavier":
            return "uniform", math.sqrt(6 / (weight.fan_in + weight.fan_out))
        case "he":
            return "normal", math.sqrt(2 / weight.fan_in)
        case "lecun":
            return "normal", math.sqrt(1 / weight.fan_in)
        case "normal":
            return "normal", number
    assert init == FITTED, init
    return "normal", gain * math.sqrt(2 / weight.fan_in)


def initial_values(weight: Weight, name: str, seed: int, gain: float = 1.0) -> NDArray[np.float32]:
    """The initial numbers of one array called `name`, float32, `gain` times as large as usual."""
    if weight.values is not None:
        return np.asarray(weight.values, dtype=np.float32).reshape(weight.shape)
    kind, size = distribution(weight, gain)
    if kind == "constant":
        return np.full(weight.shape, size, dtype=np.float32)
    random = generator(seed, name)
    if kind == "uniform":
        return (random.random(weight.shape, dtype=np.float32) * 2 - 1) * np.float32(size)
    values = random.standard_normal(weight.shape, dtype=np.float32)
    values *= np.float32(size)
    return values


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
    lasts = LastLayers(graph, depth)
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
            for last in lasts.of(name, least - 1):
                factors[last] = 1 / math.sqrt(len(level))
    most = max(sums.values(), default=0)
    for name, least in branches:
        for last, positive in lasts.of(name, least).items():
            factors[last] = most ** (-1.0 if positive else -0.5)
    return factors


class LastLayers:
    """The layers whose size is that of a branch: the last with weights, deeper than a shortcut.

    Each is looked for once, however many sums a tensor leads to.
    """

    def __init__(self, graph: Graph, depth: Depths) -> None:
        self.graph, self.depth = graph, depth
        self.found: dict[tuple[str, int], dict[str, bool]] = {}

    def of(self, branch: str, below: int) -> dict[str, bool]:
        """Those deeper than `below` by name.

        Each with whether what it makes is above 0 on average, once the branch is through with it.
        """
        waiting = [branch]
        while waiting:
            name = waiting[-1]
            missing = [i for i in self.before(name, below) if (i, below) not in self.found]
            if not missing:
                self.found[name, below] = self.behind(name, below)
                waiting.pop()
            waiting += missing
        return self.found[branch, below]

    def is_last(self, node: Node) -> bool:
        """Whether its weights say how large its tensor is."""
        return node.op.holds_weights or bool(node.op.name in NORMS and self.graph.weights(node))

    def before(self, name: str, below: int) -> tuple[str, ...]:
        """The tensors whose size that of a tensor may follow."""
        node = self.graph[name]
        if (self.depth[name] or 0) <= below or self.is_last(node):
            return ()
        if node.op.name in GATES:  # behind it numbers are as large whatever is before
            return ()
        return node.inputs if node.op.name in MIXING else node.inputs[:1]

    def behind(self, name: str, below: int) -> dict[str, bool]:
        """The last layers of a tensor whose inputs' are known."""
        node = self.graph[name]
        if (self.depth[name] or 0) > below and self.is_last(node):
            return {name: False}
        several = [f for i in self.before(name, below) if (f := self.found[i, below])]
        if node.op.name == "mul":  # what is gated, not the gate
            several = several[:1]
        if node.op.name in POSITIVE or (node.op.group == "activate" and node.op.name not in ODD):
            return dict.fromkeys(chain(*several), True)
        if len(several) < 2:
            return several[0] if several else {}
        return dict(ChainMap(*reversed(several)))  # what comes through the last input counts


def check_size(graph: Graph) -> None:
    """Raise E209, placed at the largest layer, when the numbers of all parameters are too many."""
    total = sum(weight.size for weight in graph.parameters().values()) * BYTES
    if total <= MOST_BYTES:
        return
    sizes = {node.name: sum(w.size for w in graph.weights(node)) * BYTES for node in graph.nodes()}
    largest = max(sizes, key=lambda name: sizes[name])
    message = f"the parameters take {gib(total)} of float32, of which at most {gib(MOST_BYTES)} fit"
    note = f"{largest} alone takes {gib(sizes[largest])}"
    raise DefinitionError([fault(graph[largest], "E209", message, note)])


def gib(count: int) -> str:
    """A number of bytes in words."""
    return f"{count / 2**30:_.1f} GiB"


def is_seeded(graph: Graph) -> bool:
    """Whether some parameter has no numbers yet, so that the seed decides them."""
    return any(
        weight.values is None and name not in graph.values
        for name, weight in graph.parameters().items()
    )


def initialise(graph: Graph, seed: int = 0) -> Graph:
    """The graph with numbers for every parameter and buffer that has none yet; raises E209."""
    check_size(graph)
    weights = {name: w for name, w in graph.parameters().items() if name not in graph.values}
    gains = initial_gains(graph)

    def drawn(name: str) -> NDArray[np.float32]:
        return initial_values(weights[name], name, seed, gains.get(name, 1.0))

    large = [name for name, weight in weights.items() if weight.size >= WORTH_A_THREAD]
    with ThreadPoolExecutor() as pool:  # numpy makes random numbers outside Python's lock
        arrays = dict(zip(large, pool.map(drawn, large), strict=True))
    values = {name: arrays[name] if name in arrays else drawn(name) for name in weights}
    return graph.with_values({**graph.values, **values})


def scatter(graph: Graph, seed: int = 0) -> Graph:
    """Like `initialise`, but no array is left at a constant.

    Biases, normalisation weights and running statistics get random numbers near their usual ones,
    so that a comparison of two devices would notice one that is dropped or swapped.
    """
    check_size(graph)
    values = dict(graph.values)
    gains = initial_gains(graph)
    for name, weight in graph.parameters().items():
        if name in values:
            continue
        array = initial_values(weight, name, seed, gains.get(name, 1.0))
        if weight.values is None and array.size and (array == array.flat[0]).all():
            noise = generator(seed, name).uniform(-0.25, 0.25, weight.shape)
            array = (array + noise * (abs(array.flat[0]) or 1)).astype(np.float32)
        values[name] = array
    return graph.with_values(values)
