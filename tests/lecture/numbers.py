"""The lecture's numbers, and what they count."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import netc

NUMBERS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "golden" / "lecture_numbers.json").read_text(encoding="utf-8")
)


def weighted(net: netc.Net) -> list[dict[str, Any]]:
    """The layers that hold weights, in order."""
    return [layer for layer in net.summary()["layers"] if layer["params"]]


def nodes(net: netc.Net) -> list[int]:
    """How many nodes (values) each layer with weights puts out."""
    return [prod(layer["out"]) for layer in weighted(net)]


def total(net: netc.Net, op: str, measure: str = "params") -> int:
    """The parameters or MACs of all layers of one op."""
    return sum(layer[measure] for layer in net.summary()["layers"] if layer["op"] == op)
