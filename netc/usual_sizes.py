"""Numbers for symbolic sizes, where something is drawn or measured at one of them."""

from __future__ import annotations

from compiler.domain.conditions import Contradiction
from compiler.graph import Graph

USUAL = 224  # a symbolic size is this where it may be


def usual_sizes(graph: Graph) -> dict[str, int] | None:
    """Values for the symbols of a net: 224 where that is valid, else the smallest; None of none."""
    if graph.domain is None or not graph.domain.names:
        return {}
    for value in range(USUAL, 2 * USUAL):
        sizes = dict.fromkeys(graph.domain.names, value)
        if not graph.domain.contains(sizes):
            return sizes
    try:
        return graph.domain.smallest()
    except Contradiction:
        return None
