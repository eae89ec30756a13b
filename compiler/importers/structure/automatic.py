"""Labels that need not be written, being the names that layers get by themselves.

An unlabelled layer is called after its op and a count within its block, in the order of
elaboration: the branches of a join before the join, a block's call before what is inside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from compiler.importers.structure.tree import (
    Block,
    Chain,
    Choice,
    Expression,
    Item,
    RecoveredNet,
    RecoveredStage,
    stages,
)
from compiler.symbols.scope import automatic_label


def drop_automatic(definition: RecoveredNet) -> RecoveredNet:
    """The definition without the labels that are automatic names."""
    bodies = {block.name: block for block in definition.blocks}
    blocks = tuple(
        replace(block, chain=LabelCounts(bodies, [block.chain]).chain(block.chain))
        for block in definition.blocks
    )
    frame = LabelCounts(bodies, [statement.chain for statement in definition.body])
    body = tuple(replace(st, chain=frame.chain(st.chain)) for st in definition.body)
    return replace(definition, blocks=blocks, body=body)


class LabelCounts:
    """The counting of names in one block (or the net), as elaboration does it."""

    def __init__(self, bodies: Mapping[str, Block], chains: list[Chain]) -> None:
        self.bodies = bodies
        self.reserved = {s.label for chain in chains for s in stages(chain) if s.label}
        self.counts: Counter[str] = Counter()
        self.used: set[str] = set()
        self.unsure: set[str] = set()

    def chain(self, chain: Chain) -> Chain:
        """The chain with only the labels that must be written."""
        return tuple(self.item(item) for item in chain)

    def item(self, item: Item) -> Item:
        """One item; the counts of words in a conditional branch are not relied on behind it."""
        if isinstance(item, Choice):
            chosen = replace(item, chain=self.chain(item.chain))
            self.unsure |= {s.callee for s in stages(chosen.chain) if s.label is None}
            return chosen
        if not isinstance(item, RecoveredStage):
            return item
        item = replace(item, branches=tuple(self.chain(branch) for branch in item.branches))
        label = item.label
        if label is None:
            return self.unnamed(item)
        if label == "":
            self.open(self.bodies[item.callee].chain)
            return item
        plain = not item.tag and not isinstance(label, Expression)
        if plain and item.callee not in self.unsure and self.following(item.callee) == label:
            self.take(item.callee)
            return replace(item, label=None)
        self.used.add(label)
        return replace(item, label=label)

    def unnamed(self, stage: RecoveredStage) -> RecoveredStage:
        """A layer of any name; it must not take one that a later layer is to keep."""
        name = self.following(stage.callee)
        if name in self.reserved:
            count = 1
            while f"{stage.callee}_{count}" in self.reserved | self.used:
                count += 1
            self.used.add(f"{stage.callee}_{count}")
            return replace(stage, label=f"{stage.callee}_{count}")
        self.take(stage.callee)
        return stage

    def open(self, chain: Chain) -> None:
        """Count the layers of a call that adds no level."""
        for stage in stages(chain):
            if stage.label is None:
                self.take(stage.callee)
            elif stage.label == "" and stage.callee in self.bodies:
                self.open(self.bodies[stage.callee].chain)

    def following(self, word: str) -> str:
        """The next automatic name of a word."""
        return automatic_label(dict(self.counts), word, self.used.__contains__)

    def take(self, word: str) -> None:
        """Count one layer."""
        self.used.add(automatic_label(self.counts, word, self.used.__contains__))
