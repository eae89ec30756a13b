"""Layers that a loop of the definition makes at each of its turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

MOST_IN_TURN, FEWEST_TURNS = 4, 3  # layers of a turn, turns of a loop that is kept
Turn: TypeAlias = tuple[str, ...]  # what makes the layers of one: ("Conv2d", "ReLU")


def turns_of(layers: Sequence[tuple[int, str]]) -> set[Turn]:
    """The turns of loops among layers, each with its place in the text and what makes it.

    What stands at the same places again and again comes from a loop.
    """
    found: set[Turn] = set()
    places = [place for place, _ in layers]
    for count in range(2, MOST_IN_TURN + 1):
        for start in range(len(layers) - FEWEST_TURNS * count + 1):
            turn = places[start : start + count]
            end = start + FEWEST_TURNS * count
            if len({*turn}) == count and places[start:end] == turn * FEWEST_TURNS:
                found.add(tuple(function for _, function in layers[start : start + count]))
    return found
