"""Weights and inputs that depend on an array's name only, for every framework the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]


def seeded(name: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """Numbers such as a trained net has: no variance at 1, no bias at 0, weights by fan_in."""
    digest = hashlib.sha256(name.encode()).digest()
    random = np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))
    kind = name.rpartition(".")[2]
    if kind == "running_var":
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    array = random.standard_normal(shape, dtype=np.float32)
    if kind != "image":
        array *= 0.1 if len(shape) < 2 else sqrt(2 / prod(shape[1:]))
    if kind == "weight" and len(shape) == 1:
        array += 1
    return array


def seeded_arrays(shapes: Mapping[str, Sequence[int]]) -> Arrays:
    """An array for each name."""
    return {name: seeded(name, shape) for name, shape in shapes.items()}


def digest(shapes: Mapping[str, Sequence[Any]]) -> str:
    """What stands for a whole list of names and shapes, sizes of 1 left out."""
    listed = "\n".join(
        f"{name} {[int(size) for size in shape if size != 1]}"
        for name, shape in sorted(shapes.items())
    )
    return hashlib.sha256(listed.encode()).hexdigest()[:16]
