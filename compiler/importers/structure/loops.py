"""Equal stages in a row become a loop: `repeat`, or `for` where their labels count up."""

from __future__ import annotations

import re
from dataclasses import replace

from compiler.importers.structure.expressions import same
from compiler.importers.structure.repeats import is_follower
from compiler.importers.structure.skeletons import cost
from compiler.importers.structure.tree import Chain, Choice, Item, Loop, RecoveredStage
from compiler.importers.structure.turns import as_loop, said

LONGEST_PERIOD = 8
LEAST_GAIN = 4  # words saved by a loop that is worth its braces
NUMBERS = re.compile(r"\d+")


def rolled(chain: Chain) -> Chain:
    """The chain with its repetitions as loops, in its branches too."""
    items = tuple(inside(item) for item in chain)
    found: list[Item] = []
    place = 0
    while place < len(items):
        loop, length = best_loop(items, place)
        found.append(loop or items[place])
        place += length
    return tuple(found)


def inside(item: Item) -> Item:
    """An item with its branches rolled."""
    if isinstance(item, RecoveredStage):
        if not item.branches:
            return item
        return replace(item, branches=tuple(rolled(branch) for branch in item.branches))
    return replace(item, chain=rolled(item.chain))


def best_loop(items: Chain, start: int) -> tuple[Loop | None, int]:
    """The loop that saves most among those that begin here (or none), and how many items it takes.

    A single stage is worth a loop from three turns on.
    """
    best, length, most = None, 1, LEAST_GAIN - 1
    if start and is_follower(items[start]):
        return best, length
    for period in range(1, min(LONGEST_PERIOD, (len(items) - start) // 2) + 1):
        turns = turns_from(items, start, period)
        gain = (len(turns) - 1) * cost(turns[0])
        if len(turns) < (3 if period == 1 else 2) or gain <= most:
            continue
        loop = as_loop(turns)
        if loop is not None:
            best, length, most = loop, len(turns) * period, gain
    return best, length


def turns_from(items: Chain, start: int, period: int) -> list[Chain]:
    """The run of equal chains of `period` items that begins here, at least one."""
    turns = [items[start : start + period]]
    while True:
        begin = start + len(turns) * period
        turn = items[begin : begin + period]
        leading = period == 1 and len(turns) == 1
        if len(turn) < period or not equal_chains(turns[-1], turn, leading):
            return turns
        turns.append(turn)


def equal_chains(a: Chain, b: Chain, leading: bool = False) -> bool:
    """Whether two turns are the same but for the numbers in their labels."""
    return len(a) == len(b) and all(equal_items(x, y, leading) for x, y in zip(a, b, strict=True))


def equal_items(a: Item, b: Item, leading: bool) -> bool:
    """Whether two items are equal; a `leading` call may differ in one parameter with a default."""
    if not isinstance(a, RecoveredStage) or not isinstance(b, RecoveredStage):
        if isinstance(a, Choice) and isinstance(b, Choice):
            return a.condition == b.condition and equal_chains(a.chain, b.chain)
        return a == b
    if a.callee != b.callee or a.like or b.like or a.tag or b.tag or a.joined or b.joined:
        return False
    differing = [
        name
        for name in a.arguments
        if not same(a.arguments[name], b.arguments[name]) and name != "name"
    ]
    allowed = (
        leading
        and len(differing) == 1
        and differing[0] in b.defaults
        and None not in (said(a, differing[0]), said(b, differing[0]))
    )
    return (
        (not differing or allowed)
        and len(a.branches) == len(b.branches)
        and all(equal_chains(x, y) for x, y in zip(a.branches, b.branches, strict=True))
        and template(a.label) == template(b.label)
        and template(a.arguments.get("name")) == template(b.arguments.get("name"))
    )


def template(label: str | None) -> str | None:
    """A label without its numbers."""
    return None if label is None else NUMBERS.sub("#", label)
