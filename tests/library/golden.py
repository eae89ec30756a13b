"""The golden file of the library's nets, written by `tests.library.yardstick`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import netc
from compiler.dims import evaluate
from tests.library.seeded import Arrays, seeded, seeded_arrays

PATH = Path(__file__).parent.parent / "golden" / "library.json"
GOLDEN: dict[str, dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))
PICKED = 5  # values of each output; the last number is the root of their mean square
NARROW_PIXELS = {"H": 32, "W": 32}  # of the nets that take pictures of any size


def with_seeded_weights(net: netc.Net) -> tuple[netc.Net, Arrays]:
    """The net with numbers by name, and inputs by name for one sample."""
    shapes = {
        name: weight.shape
        for name, weight in net.graph.parameters().items()
        if weight.values is None
    }
    feeds = {
        node.name: seeded(
            f"{node.name}.image", (1, *(evaluate(size, NARROW_PIXELS) for size in node.shape))
        )
        for node in net.graph.inputs()
    }
    return net.with_weights(seeded_arrays(shapes)), feeds


def picked(values: NDArray[Any]) -> list[float]:
    """A few values, spread evenly, and the root of the mean square."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    places = np.linspace(0, len(flat) - 1, PICKED).astype(int)
    return [float(f"{v:.7g}") for v in (*flat[places], np.sqrt(np.mean(flat**2)))]


def golden_values(name: str, settings: Mapping[str, Any]) -> dict[str, list[float]]:
    """A few values of each output of our NumPy."""
    net, feeds = with_seeded_weights(netc.load(name, name, **settings))
    return {output: picked(found) for output, found in net.run(feeds, device="numpy").items()}
