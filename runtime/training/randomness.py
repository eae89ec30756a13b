"""Random numbers that depend on a key only: the seed, the step and the name of what is drawn.

A counter-based generator (Philox, Salmon et al. 2011) needs no state to be kept: a run that is
resumed, or checked by NumPy, draws exactly what it would have drawn.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.training.model import Noise


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """The stream of random numbers for a key."""
    text = ":".join(map(str, (seed, *key)))
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw_noise(noise: Noise, seed: int, tick: int, count: int) -> NDArray[Any]:
    """The noise of one step, [count, …] float32."""
    random = generator(seed, "noise", noise.name, tick)
    shape = (count, *noise.shape)
    if noise.distribution == "normal":
        return random.standard_normal(shape, dtype=np.float32)
    return random.random(shape, dtype=np.float32) * np.float32(2) - np.float32(1)


def draw_mask(name: str, shape: tuple[Any, ...], p: float, seed: int, tick: int) -> NDArray[Any]:
    """What a dropout multiplies by: 0 with probability p, else 1/(1 - p), float32."""
    random = generator(seed, "mask", name, tick)
    kept = random.random(shape, dtype=np.float32) >= np.float32(p)
    return kept * np.float32(1 / (1 - p))
