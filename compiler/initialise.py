"""Seeded initial numbers for a network's parameters.

The draw of each array depends on the seed and on its own full name only, so adding or removing a
layer leaves every other layer's numbers as they were, but for the size that `gains` gives them.
Formulas: he, He et al. 2015 (std sqrt(2/fan_in)); xavier, Glorot and Bengio 2010 (uniform up to
sqrt(6/(fan_in + fan_out))); lecun, LeCun et al. 1998 (std sqrt(1/fan_in)).
"""

from __future__ import annotations

import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from compiler.gains import initial_gains
from compiler.graph import Graph
from compiler.ops.arguments import FITTED
from compiler.ops.base import Weight
from compiler.verify import fault
from grammar.diagnostics import DefinitionError

BYTES = 4
MOST_BYTES = 8 * 2**30  # of all parameters together; they are held twice while a file is written


def generator(seed: int, name: str) -> np.random.Generator:
    """A stream of random numbers that depends on the seed and the name only."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))


def initial_values(weight: Weight, name: str, seed: int, gain: float = 1.0) -> NDArray[np.float32]:
    """The initial numbers of one array called `name`, float32, `gain` times as large as usual."""
    if weight.values is not None:
        return np.asarray(weight.values, dtype=np.float32).reshape(weight.shape)
    init, _, argument = weight.init.partition("(")
    number = float(argument.rstrip(") ")) if argument else 0.0
    if init in ("zero", "constant"):
        return np.full(weight.shape, number * gain, dtype=np.float32)
    random = generator(seed, name)
    if init == "xavier":
        bound = math.sqrt(6 / (weight.fan_in + weight.fan_out))
        return (random.random(weight.shape, dtype=np.float32) * 2 - 1) * np.float32(bound)
    deviation = {
        FITTED: gain * math.sqrt(2 / weight.fan_in),
        "he": math.sqrt(2 / weight.fan_in),
        "lecun": math.sqrt(1 / weight.fan_in),
        "normal": number,
    }[init]
    values = random.standard_normal(weight.shape, dtype=np.float32)
    values *= np.float32(deviation)
    return values


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


def initialise(graph: Graph, seed: int = 0) -> Graph:
    """The graph with numbers for every parameter and buffer that has none yet; raises E209."""
    check_size(graph)
    weights = {name: w for name, w in graph.parameters().items() if name not in graph.values}
    gains = initial_gains(graph)
    sizes = [gains.get(name, 1.0) for name in weights]
    with ThreadPoolExecutor() as pool:  # numpy makes random numbers outside Python's lock
        arrays = pool.map(initial_values, weights.values(), weights, repeat(seed), sizes)
        values = dict(zip(weights, arrays, strict=True))
    return replace(graph, values={**graph.values, **values})


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
    return replace(graph, values=values)
