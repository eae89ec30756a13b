"""Layers that a loop of the definition makes at each of its turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from grammar.diagnostics import LoopTurn

MOST_IN_TURN, FEWEST_TURNS = 4, 3  # layers of a turn, turns of a loop that is kept
Turn: TypeAlias = tuple[str, ...]  # what makes the layers of one: ("Conv2d", "ReLU")


def turns_of(layers: Iterable[tuple[tuple[LoopTurn, ...], str]]) -> set[Turn]:
    """The turns of loops among layers, each with the turns around it and what makes it."""
    bodies: dict[tuple[LoopTurn, ...], list[str]] = {}
    for around, function in layers:
        bodies.setdefault(around, []).append(function)
    counts = Counter(
        (around[:-1], around[-1].loop, tuple(body)) for around, body in bodies.items() if around
    )
    return {
        body
        for (_, _, body), count in counts.items()
        if count >= FEWEST_TURNS and 2 <= len(body) <= MOST_IN_TURN
    }
