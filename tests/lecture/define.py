"""Definitions as text in a test, checked, measured and run by the real compiler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import netc
from compiler.driver import check_net, load
from compiler.modules import LIBRARY
from grammar.source import Source

NUMBERS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "golden" / "lecture_numbers.json").read_text(encoding="utf-8")
)


def define(text: str, **parameters: Any) -> netc.Net:
    """The one net of a definition, which may `use` the library's blocks.

    Raises `DefinitionError` when the text is at fault.
    """
    (net,) = load(Source("lecture.netdef", text), [LIBRARY]).nets()
    return netc.Net(check_net(net, parameters))


def run(net: netc.Net, values: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """The outputs for one sample, without the batch, from ONNX Runtime; NumPy must agree."""
    given = values if isinstance(values, Mapping) else {net.graph.inputs()[0].name: values}
    feeds = {name: np.asarray(value, dtype=np.float32)[None] for name, value in given.items()}
    found, reference = (net.run(feeds, device=device) for device in ("cpu", "numpy"))
    for name, value in found.items():
        np.testing.assert_allclose(value, reference[name], rtol=1e-5, atol=1e-5)
    return {name: value[0] for name, value in found.items()}


def weighted(net: netc.Net) -> list[dict[str, Any]]:
    """The layers that hold weights, in order."""
    return [layer for layer in net.summary()["layers"] if layer["params"]]


def nodes(net: netc.Net) -> list[int]:
    """How many nodes (values) each layer with weights puts out."""
    return [prod(layer["out"]) for layer in weighted(net)]


def total(net: netc.Net, op: str, measure: str = "params") -> int:
    """The parameters or MACs of all layers of one op."""
    return sum(layer[measure] for layer in net.summary()["layers"] if layer["op"] == op)
