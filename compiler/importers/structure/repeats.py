"""Runs of stages that occur more than once.

Candidates are all runs of neighbouring stages of equal skeletons. The one that shortens the text
most becomes a block; this repeats until nothing is gained (the greedy form of grammar inference by
the shortest description, as in Nevill-Manning and Witten, "Identifying Hierarchical Structure in
Sequences", JAIR 7, 1997).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import replace
from operator import is_not

from compiler.importers.structure.skeletons import FOLLOWERS, cost, skeleton
from compiler.importers.structure.tree import Chain, Item, RecoveredStage
from compiler.ops import OPS
from grammar.records import dataclass

LONGEST = 40  # stages in a run
MOST_TRIED = 40  # groups of runs that are worked out in each round

Path = tuple[int, ...]


@dataclass(frozen=True)
class ChainRun:
    """A part of a chain: where the chain is, the first stage and the one behind the last."""

    path: Path
    start: int
    stop: int
    items: Chain


def chains_in(chain: Chain, path: Path) -> Iterator[tuple[Path, Chain]]:
    """A chain and those in its branches, each with the way to it (stage, branch, stage, …)."""
    yield path, chain
    for place, item in enumerate(chain):
        if isinstance(item, RecoveredStage):
            for index, branch in enumerate(item.branches):
                yield from chains_in(branch, (*path, place, index))


def groups_of_runs(chains: list[tuple[Path, Chain]]) -> list[list[ChainRun]]:
    """Runs of equal skeletons, at least two in a group, the most promising groups first."""
    found: list[tuple[int, tuple[int, int, int], list[ChainRun]]] = []
    for starts, length in equal_runs([chain for _, chain in chains]):
        whole = [
            (chain, start)
            for chain, start in starts
            if length == 1 or not cuts(chains[chain][1], start, start + length)
        ]
        if len(whole) < 2:
            continue
        runs = apart([run_at(chains[chain], start, length) for chain, start in whole])
        if len(runs) > 1 and is_worth(runs[0].items):
            gain = (len(runs) - 1) * cost(runs[0].items)
            found.append((-gain, (*whole[0], length), runs))
    found.sort(key=lambda group: group[:2])
    return [runs for _, _, runs in found[:MOST_TRIED]]


Starts = list[tuple[int, int]]  # which chain, and which of its stages


def equal_runs(chains: list[Chain]) -> Iterator[tuple[Starts, int]]:
    """Where runs of equal skeletons start, and how long they are: the short ones first.

    What occurs once as a short run is part of no longer one that occurs more often.
    """
    numbers: dict[Hashable, int] = {}
    keys = [[numbers.setdefault(skeleton(item), len(numbers)) for item in c] for c in chains]
    groups: list[Starts] = [
        [
            (place, start)
            for place, chain in enumerate(chains)
            for start in range(len(chain))
            if not start or not is_follower(chain[start]) or is_alone(chain[start - 1])
        ]
    ]
    for length in range(1, LONGEST + 1):
        longer: list[Starts] = []
        for group in groups:
            parts: dict[int, Starts] = defaultdict(list)
            for place, start in group:
                chain, last = chains[place], start + length - 1
                if last < len(chain) and may_follow(chain, start, last):
                    parts[keys[place][last]].append((place, start))
            longer += [part for part in parts.values() if len(part) > 1]
        groups = longer
        yield from ((group, length) for group in groups)


def may_follow(chain: Chain, start: int, last: int) -> bool:
    """Whether a run from `start`, all of it before `last` being fit, may hold that stage too."""
    item = chain[last]
    if not isinstance(item, RecoveredStage) or is_alone(item):
        return False
    before = chain[last - 1]
    return last == start or not (isinstance(before, RecoveredStage) and before.tag)


def run_at(chain: tuple[Path, Chain], start: int, length: int) -> ChainRun:
    """A part of a chain."""
    path, items = chain
    return ChainRun(path, start, start + length, items[start : start + length])


def is_alone(item: Item) -> bool:
    """Whether the stage takes or uses what has a name outside, so that no block holds it."""
    return isinstance(item, RecoveredStage) and bool(item.joined or item.like)


def is_gate(item: Item) -> bool:
    """Whether the stage scales what flows by something computed from it."""
    return isinstance(item, RecoveredStage) and item.callee == "mul" and () in item.branches


def cuts(chain: Chain, start: int, stop: int) -> bool:
    """Whether a run parts what belongs together.

    That is what scales from what it is computed from, or the calls of one block in a row.
    """
    if is_gate(chain[start]) or (start > 0 and same_block(chain[start - 1], chain[start])):
        return True
    return stop < len(chain) and same_block(chain[stop - 1], chain[stop])


def same_block(a: Item, b: Item) -> bool:
    """Whether both are calls of one block."""
    calls = isinstance(a, RecoveredStage) and isinstance(b, RecoveredStage)
    return calls and a.callee == b.callee and a.callee not in OPS  # type: ignore[union-attr]


def is_follower(item: Item) -> bool:
    """Whether the stage belongs to the one before it."""
    return isinstance(item, RecoveredStage) and item.callee in FOLLOWERS


def is_worth(items: Chain) -> bool:
    """Whether a run is more than a layer and its activation."""
    first = items[0]
    return len(items) > 2 or (isinstance(first, RecoveredStage) and bool(first.branches))


def repeats_a_block(items: Chain) -> bool:
    """Whether a run goes over again what could be a block of its own, or what is one."""
    keys = [skeleton(item) for item in items]
    return any(
        keys[period:] == keys[:-period] and (is_worth(items[:period]) or calls_only(items))
        for period in range(1, len(keys))
    )


def calls_only(items: Chain) -> bool:
    """Whether a run consists of calls of blocks."""
    return all(isinstance(item, RecoveredStage) and item.callee not in OPS for item in items)


def apart(runs: list[ChainRun]) -> list[ChainRun]:
    """The runs that do not overlap, from the left."""
    kept: list[ChainRun] = []
    ends: dict[Path, int] = {}
    for run in runs:
        if run.start >= ends.get(run.path, 0):
            kept.append(run)
            ends[run.path] = run.stop
    return kept


Calls = dict[Path, dict[int, tuple[int, RecoveredStage]]]


def calls_by_place(runs: list[ChainRun], calls: tuple[RecoveredStage, ...]) -> Calls:
    """The calls that take the places of runs: of each chain, from each first stage to a last."""
    found: Calls = defaultdict(dict)
    for run, call in zip(runs, calls, strict=True):
        found[run.path][run.start] = (run.stop, call)
    return found


def replaced(chain: Chain, path: Path, calls: Calls) -> Chain:
    """The chain at `path` with calls in place of runs, in its branches too."""
    here = calls.get(path, {})
    items: list[Item] = []
    place = 0
    while place < len(chain):
        item = chain[place]
        if place in here:
            place, item = here[place]
            items.append(item)
            continue
        if isinstance(item, RecoveredStage) and item.branches:
            branches = tuple(
                replaced(branch, (*path, place, index), calls)
                for index, branch in enumerate(item.branches)
            )
            if any(map(is_not, branches, item.branches)):
                item = replace(item, branches=branches)
        items.append(item)
        place += 1
    return tuple(items) if here or any(map(is_not, items, chain)) else chain
