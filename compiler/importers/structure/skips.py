"""Tensors that must have a name: those that several statements take, and long skip connections.

A residual block reads well as a join with two branches. The skips of a U-Net do not: each level
would be a branch inside the branch of the level above. Where a branch changes the size of the map
and comes back to it, the tensor that it is joined with is named instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace

from compiler.importers.structure.tree import Chain, Item, RecoveredStage, Statement
from grammar.lexemes import RESERVED

RESIZING = frozenset(
    ("conv", "deconv", "maxpool", "avgpool", "lppool", "upsample", "pixel_shuffle")
)
IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def is_name(label: str) -> bool:
    """Whether a label is a name of the language, which needs no quotes."""
    return bool(IDENTIFIER.fullmatch(label)) and label not in RESERVED


class FreshNames:
    """Names for tensors, each new; those of the net's inputs are taken."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self._counts: Counter[str] = Counter()

    def fresh(self, word: str) -> str:
        """`word` with the first number that is free."""
        self._counts[word] += 1
        while f"{word}{self._counts[word]}" in self.taken:
            self._counts[word] += 1
        self.taken.add(f"{word}{self._counts[word]}")
        return f"{word}{self._counts[word]}"


def tagged(chain: Chain, names: FreshNames, word: str) -> tuple[Chain, str]:
    """The chain with a tag on its last stage, and the tag."""
    *rest, last = chain
    assert isinstance(last, RecoveredStage)
    tag = last.tag or names.fresh(word)
    return (*rest, replace(last, tag=tag)), tag


def name_tensors(
    statements: tuple[Statement, ...], inputs: Mapping[str, str], others: Set[str]
) -> tuple[Statement, ...]:
    """Every tensor that a statement takes by name gets a tag, under which it is taken.

    `inputs` are called as they say; `others` are taken too.
    """
    names = FreshNames({*inputs.values(), *others})
    statements = tuple(replace(st, chain=flat(st.chain, names)) for st in statements)
    wanted = {st.source for st in statements if st.source}
    wanted |= {name for st in statements if len(st.takes) > 1 for name in st.takes}
    wanted |= {st.makes for st in statements if not st.chain}
    tags = dict(inputs)
    found = []
    for st in statements:
        if st.makes in wanted and st.chain:
            chain, tags[st.makes] = tagged(st.chain, names, "x")
            st = replace(st, chain=chain)
        found.append(st)
    return tuple(taking(st, tags) for st in found)


def taking(statement: Statement, tags: Mapping[str, str]) -> Statement:
    """The statement with the tensors that it takes under their tags."""
    chain = statement.chain
    if len(statement.takes) > 1:
        first = chain[0]
        assert isinstance(first, RecoveredStage)
        chain = (replace(first, joined=tuple(tags[n] for n in statement.takes)), *chain[1:])
    source = tags[statement.source] if statement.source else None
    makes = statement.makes if statement.chain else tags[statement.makes]
    return replace(statement, makes=makes, chain=chain, source=source)


def settle_tags(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Tags become labels where a stage has none, and give way to the labels where it has one.

    A label that no chain can begin with (it has a dot), or none at all, is helped by an `identity`
    that carries the tag.
    """
    begun = {st.source for st in body if st.source} | {st.makes for st in body if not st.chain}
    labels: dict[str, str] = {}
    settled = []
    for st in body:
        items: list[Item] = []
        for item in st.chain:
            items.append(item)
            if not isinstance(item, RecoveredStage) or not item.tag:
                continue
            label = item.tag if item.label is None else item.label
            if label and label != "in" and (is_name(label) or item.tag not in begun):
                items[-1] = replace(item, label=label)
                labels[item.tag] = label
            else:
                items.append(
                    RecoveredStage("identity", label=item.tag, tag=item.tag, made=item.made)
                )
        settled.append(replace(st, chain=tuple(items)))
    return tuple(
        replace(
            st,
            chain=tuple(rejoined(item, labels) for item in st.chain),
            makes=st.makes if st.chain else labels.get(st.makes, st.makes),
            source=labels.get(st.source, st.source) if st.source else None,
        )
        for st in settled
    )


def rejoined(item: Item, labels: Mapping[str, str]) -> Item:
    """A join that names its tensors, by their labels."""
    if not isinstance(item, RecoveredStage) or not item.joined:
        return item
    return replace(item, joined=tuple(labels.get(name, name) for name in item.joined))


def flat(chain: Chain, names: FreshNames) -> Chain:
    """The chain with its long skips named, outer ones first."""
    found: list[Item] = []
    for item in chain:
        if not isinstance(item, RecoveredStage) or not found or not is_long_skip(item):
            found.append(item)
            continue
        before, skip = tagged(tuple(found), names, "skip")
        (branch,) = [b for b in item.branches if b]
        up = flat(branch, names)
        last = up[-1]
        word = (
            "up"
            if isinstance(last, RecoveredStage) and last.callee in ("deconv", "upsample")
            else "x"
        )
        up, path = tagged(up, names, word)
        joined = tuple(path if b else skip for b in item.branches)
        found = [*before, *up, replace(item, branches=(), joined=joined)]
    return tuple(found)


def is_long_skip(stage: RecoveredStage) -> bool:
    """Whether one branch is the bare tensor and the other leaves its resolution and returns."""
    if len(stage.branches) != 2 or sum(1 for b in stage.branches if b) != 1:
        return False
    (branch,) = [b for b in stage.branches if b]
    sizes = [s.made[1:] for s in branch if isinstance(s, RecoveredStage) and s.callee in RESIZING]
    returns = sizes[-1:] == [stage.made[1:]]
    return returns and any(size and size != stage.made[1:] for size in sizes) and len(branch) > 3
