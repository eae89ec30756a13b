"""Runs of equal skeleton become one block: what varies among them, parameters and calls."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from compiler.importers.structure.expressions import Parameters
from compiler.importers.structure.labels import ABSENT, Label, Shared, shared_labels
from compiler.importers.structure.paddings import derived_pad
from compiler.importers.structure.parallel import (
    AlignedStages,
    Branch,
    Different,
    all_places,
    side_by_side,
)
from compiler.importers.structure.repeats import ChainRun, repeats_a_block
from compiler.importers.structure.skeletons import cost, item_cost, may_vary
from compiler.importers.structure.tree import Block, Chain, Choice, Expression, RecoveredStage
from compiler.importers.structure.turns import said
from compiler.importers.structure.values import show
from compiler.importers.structure.words import block_name, count_hints
from compiler.ops import OPS
from grammar.records import dataclass

OVERHEAD = 4  # words of a block besides its body


@dataclass(frozen=True)
class Found:
    """A block, a call for each run, and by how many words the text becomes shorter."""

    block: Block
    calls: tuple[RecoveredStage, ...]
    gain: int


def generalise(runs: Sequence[ChainRun], names: Set[str], labels: Set[str]) -> Found | None:
    """The block that all the runs are calls of; None when they differ too much to be one.

    `names` are taken for blocks, `labels` for layers.
    """
    try:
        places = side_by_side([run.items for run in runs])
    except Different:
        return None
    order = list(all_places(places))
    rows = [
        [ABSENT if p.stages[run] is None else label_of(p.stages[run]) for p in order]
        for run in range(len(runs))
    ]
    shared = shared_labels(rows, labels)
    if shared is None or (not any(shared.calls) and repeats_a_block(runs[0].items)):
        return None
    merger = Merger(places, shared, dict(zip(map(id, order), shared.inside, strict=True)))
    body = merger.chain(places)
    parameters = merger.parameters
    if shared.words:
        parameters.new("name", shared.words, "name")
    block = Block(block_name(body, names), parameters.declared(), body)
    count, several = len(parameters.vectors), len(merger.varied) > 1
    chance = not any(shared.calls) and all(p.first.callee not in OPS for p in order)
    if several and (count > len(order) // 2 or (chance and count > 1)):
        return None  # little but parameters, or calls that stand side by side by chance
    calls = tuple(
        call_of(run.items, block, parameters, place, shared.calls[place])
        for place, run in enumerate(runs)
    )
    before = sum(cost(run.items) for run in runs)
    after = cost(body) + OVERHEAD + sum(map(item_cost, calls))
    return Found(block, calls, before - after)


def label_of(stage: RecoveredStage | None) -> Label:
    """The kept name of a stage."""
    return stage.label if stage is not None else None


def call_of(
    items: Chain, block: Block, parameters: Parameters, place: int, label: Label
) -> RecoveredStage:
    """The call that takes the place of a run; a tag at its end becomes its own."""
    first, last = items[0], items[-1]
    assert isinstance(first, RecoveredStage) and isinstance(last, RecoveredStage)
    return RecoveredStage(
        block.name,
        parameters.arguments(place),
        {p.name: p.default for p in block.parameters if p.default is not None},
        dict(parameters.roles),
        label,
        tag=last.tag,
        given=first.given,
        made=last.made,
    )


class Merger:
    """Builds the body of a block from places, and its parameters on the way."""

    def __init__(
        self, places: tuple[AlignedStages, ...], shared: Shared, labels: dict[int, Label]
    ) -> None:
        given = [s.given for s in places[0].stages if s is not None]
        known = all(shape and isinstance(shape[0], int | Expression) for shape in given)
        self.parameters = Parameters(tuple(shape[0] for shape in given) if known else ())
        self.labels = labels
        self.hints = count_hints(places)
        self.varied: set[int] = set()  # the places that have parameters
        self.counts: dict[int, Any] = {}  # the channels of each place, as the body says them

    def chain(self, places: Sequence[AlignedStages]) -> Chain:
        """The body of the block, or of a branch."""
        return tuple(self.stage(place) for place in places)

    def stage(self, place: AlignedStages) -> RecoveredStage:
        """One stage, its varying arguments replaced by expressions."""
        first = place.first
        branches = tuple(self.branch(place, branch) for branch in place.branches)
        found = {
            name: self.argument(place, name) if may_vary(first, name) else first.arguments[name]
            for name in sorted(first.arguments, key="pad".__eq__)  # it may follow from the others
        }
        arguments = {name: found[name] for name in first.arguments}
        for name in ("channels", "units"):
            if name in arguments:
                self.counts[id(place)] = arguments[name]
        label = self.labels[id(place)]
        given, made = (self.channels(place, side) for side in ("given", "made"))
        return RecoveredStage(
            first.callee,
            arguments,
            first.defaults,
            first.roles,
            label,
            branches,
            given=given,
            made=made,
        )

    def channels(self, place: AlignedStages, side: str) -> tuple[Any, ...]:
        """The channels that enter a stage or leave it, as the body says them; () when it cannot."""
        shapes = [None if s is None else getattr(s, side) for s in place.stages]
        if any(shape is not None and not shape for shape in shapes):
            return ()
        counts = tuple(None if shape is None else shape[0] for shape in shapes)
        known = [count for count in counts if count is not None]
        if isinstance(known[0], int) and len(set(known)) == 1:
            return (known[0],)
        found = self.parameters.derived(counts)
        return () if found is None else (found,)

    def argument(self, place: AlignedStages, name: str) -> Any:
        """What the body says for one argument."""
        values = [None if s is None else s.arguments[name] for s in place.stages]
        if name == "stride" and any(v is not None for v in values):
            values = [None if s is None else said(s, name) for s in place.stages]
        if name == "pad" and place.first.callee in OPS:
            pad = derived_pad(place.stages, self.parameters)
            if pad is not None:
                return pad
        if name == "shape":
            return self.shape(values)
        if all(value is None for value in values):
            return None
        role = place.first.roles.get(name, name)
        hint = self.hints.get(id(place), "c") if name == "channels" else name
        found = self.parameters.expression(role, tuple(values), hint)
        if isinstance(found, Expression):
            self.varied.add(id(place))
        return found

    def shape(self, values: Sequence[Any]) -> Any:
        """A list of sizes, each constant or an expression."""
        rank = len(next(value for value in values if value is not None))
        sizes = [
            self.parameters.expression(
                "channels", tuple(None if v is None else v[axis] for v in values), "c"
            )
            for axis in range(rank)
        ]
        plain = not any(isinstance(size, Expression) for size in sizes)
        return tuple(sizes) if plain else Expression(show(sizes))

    def branch(self, join: AlignedStages, branch: Branch) -> Chain:
        """A branch; one that only some runs have stands under a condition."""
        chain = self.chain(branch.places)
        if not branch.optional:
            return chain
        there = tuple(stage is not None for stage in branch.places[0].stages)
        return (Choice(self.condition(join, there), chain),)

    def condition(self, join: AlignedStages, there: tuple[bool, ...]) -> str:
        """When a shortcut needs a projection: where the channels or the stride change."""
        stages = [stage for stage in join.stages if stage is not None]
        changes = tuple(stage.given[:1] != stage.made[:1] for stage in stages)
        count = self.count_that_leaves(join, stages)
        strides = self.parameters.vectors.get("stride", ())
        moves = tuple(stride not in (1, None) for stride in strides)
        first = self.parameters.entering == tuple(s.given[0] for s in stages if s.given)
        compares = bool(first and count and count != "in.c")  # `in` is what enters the join
        if compares and changes == there:
            return f"in.c != {count}"
        if moves == there:
            return "stride != 1"
        either = tuple(a or b for a, b in zip(moves, changes, strict=False))
        if compares and either == there:
            return f"stride != 1 or in.c != {count}"
        return str(self.parameters.expression("project", there, "project"))

    def count_that_leaves(self, join: AlignedStages, stages: Sequence[RecoveredStage]) -> str:
        """How the body says the number of channels that a join makes; empty when it does not."""
        made = [stage.made[:1] for stage in stages]
        for place in reversed(join.branches[0].places):
            if id(place) in self.counts:
                inner = [s.arguments.get("channels") for s in place.stages if s is not None]
                return str(self.counts[id(place)]) if [(n,) for n in inner] == made else ""
        return ""
