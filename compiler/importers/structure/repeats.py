"""Runs of stages that occur more than once.

Candidates are all runs of neighbouring stages of equal skeletons. The one that shortens the text
most becomes a block; this repeats until nothing is gained (the greedy form of grammar inference by
the shortest description, as in Nevill-Manning and Witten, "Identifying Hierarchical Structure in
Sequences", JAIR 7, 1997).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

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
    found: dict[Hashable, list[ChainRun]] = defaultdict(list)
    for path, chain in chains:
        keys = [skeleton(item) for item in chain]
        for start in range(len(chain)):
            if start and is_follower(chain[start]) and not is_alone(chain[start - 1]):
                continue
            for stop in range(start + 1, min(len(chain), start + LONGEST) + 1):
                item = chain[stop - 1]
                if not isinstance(item, RecoveredStage) or is_alone(item):
                    break
                if stop - start == 1 or not (
                    is_gate(chain[start]) or cuts_a_row(chain, start, stop)
                ):
                    run = ChainRun(path, start, stop, chain[start:stop])
                    found[tuple(keys[start:stop])].append(run)
                if item.tag:
                    break
    groups = [apart(runs) for runs in found.values() if len(runs) > 1]
    groups = [runs for runs in groups if len(runs) > 1 and is_worth(runs[0].items)]
    groups.sort(key=lambda runs: -(len(runs) - 1) * cost(runs[0].items))
    return groups[:MOST_TRIED]


def is_alone(item: Item) -> bool:
    """Whether the stage takes or uses what has a name outside, so that no block holds it."""
    return isinstance(item, RecoveredStage) and bool(item.joined or item.like)


def is_gate(item: Item) -> bool:
    """Whether the stage scales what flows by something computed from it."""
    return isinstance(item, RecoveredStage) and item.callee == "mul" and () in item.branches


def cuts_a_row(chain: Chain, start: int, stop: int) -> bool:
    """Whether a run takes some of the calls of one block that stand in a row, and leaves others."""

    def same_block(a: Item, b: Item) -> bool:
        calls = (
            isinstance(a, RecoveredStage) and isinstance(b, RecoveredStage) and a.callee not in OPS
        )
        return calls and a.callee == b.callee  # type: ignore[union-attr]

    begins = start > 0 and same_block(chain[start - 1], chain[start])
    return begins or (stop < len(chain) and same_block(chain[stop - 1], chain[stop]))


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


def replaced(chain: Chain, path: Path, calls: list[tuple[ChainRun, RecoveredStage]]) -> Chain:
    """The chain at `path` with calls in place of runs, in its branches too."""
    here = sorted((r for r in calls if r[0].path == path), key=lambda pair: -pair[0].start)
    items: list[Item] = []
    for place, item in enumerate(chain):
        if isinstance(item, RecoveredStage) and item.branches:
            branches = tuple(
                replaced(branch, (*path, place, index), calls)
                for index, branch in enumerate(item.branches)
            )
            item = RecoveredStage(**{**vars(item), "branches": branches})
        items.append(item)
    for run, call in here:
        items[run.start : run.stop] = [call]
    return tuple(items)
