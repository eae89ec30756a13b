"""Several runs laid side by side: which stages stand at the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.importers.structure.skeletons import chain_skeleton, has_shortcut
from compiler.importers.structure.tree import Chain, RecoveredStage
from grammar.records import dataclass


class Different(Exception):
    """Runs that cannot be one block."""


@dataclass(frozen=True)
class AlignedStages:
    """One place of a block: the stage that each run has there, None where a run has none."""

    stages: tuple[RecoveredStage | None, ...]
    branches: tuple[Branch, ...]

    @property
    def first(self) -> RecoveredStage:
        """The first stage that there is."""
        return next(stage for stage in self.stages if stage is not None)


@dataclass(frozen=True)
class Branch:
    """A branch of a join; `optional` when some runs have the bare tensor there."""

    places: tuple[AlignedStages, ...]
    optional: bool = False


def side_by_side(chains: Sequence[Chain | None]) -> tuple[AlignedStages, ...]:
    """The places of chains of equal skeleton; raises `Different`."""
    present = [chain for chain in chains if chain is not None]
    common = chain_skeleton(present[0])
    if any(chain_skeleton(chain) != common for chain in present[1:]):
        raise Different
    found = []
    for index in range(len(present[0])):
        items = [None if chain is None else chain[index] for chain in chains]
        stages = tuple(item if isinstance(item, RecoveredStage) else None for item in items)
        found.append(AlignedStages(stages, branches_of(stages)))
    return tuple(found)


def branches_of(stages: tuple[RecoveredStage | None, ...]) -> tuple[Branch, ...]:
    """The branches of a join, the shortcut being optional."""
    present = [stage for stage in stages if stage is not None]
    if not present:
        raise Different
    found = []
    for index in range(len(present[0].branches)):
        chains = [None if stage is None else stage.branches[index] for stage in stages]
        optional = index == 1 and has_shortcut(present[0]) and () in chains and any(chains)
        if optional:
            chains = [chain or None for chain in chains]
        if not any(chains):
            found.append(Branch(()))
            continue
        found.append(Branch(side_by_side(chains), optional))
    return tuple(found)


def all_places(places: Sequence[AlignedStages]) -> Iterator[AlignedStages]:
    """Every place with those in its branches, in the order of elaboration."""
    for place in places:
        for branch in place.branches:
            yield from all_places(branch.places)
        yield place
