"""From a graph to a definition: chains and joins first, then blocks, the most useful ones first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import replace

from compiler.importers.builder import AVOIDED
from compiler.importers.imported import Imported
from compiler.importers.structure.automatic import drop_automatic
from compiler.importers.structure.generalise import Found, generalise
from compiler.importers.structure.interface import interface_of
from compiler.importers.structure.labels import common_path
from compiler.importers.structure.loops import rolled
from compiler.importers.structure.reduce import statements_of
from compiler.importers.structure.repeats import (
    ChainRun,
    calls_by_place,
    chains_in,
    groups_of_runs,
    repeats_a_block,
    replaced,
)
from compiler.importers.structure.skeletons import chain_skeleton
from compiler.importers.structure.skips import name_tensors, settle_tags
from compiler.importers.structure.tree import Block, RecoveredNet, Statement, stages
from compiler.ops import OPS

LEAST_GAIN = 8  # words that a block must save
MOST_BLOCKS = 60


def recover(imported: Imported, most_blocks: int = MOST_BLOCKS) -> RecoveredNet:
    """The definition of a graph, with at most so many blocks."""
    statements, swapped = statements_of(imported)
    labels = {s.label for st in statements for s in stages(st.chain) if s.label}
    interface = interface_of(imported.graph, labels)
    inputs, outputs = set(interface.inputs.values()), set(interface.outputs.values())
    body = name_tensors(statements, interface.inputs, labels | outputs)
    taken = set(OPS) | AVOIDED | {imported.graph.name} | inputs
    blocks: list[Block] = []
    while len(blocks) < most_blocks:
        best = best_block(body, blocks, taken)
        if best is None:
            break
        runs, found = best
        taken.add(found.block.name)
        calls = calls_by_place(runs, found.calls)
        body = tuple(
            replace(st, chain=replaced(st.chain, (place,), calls)) for place, st in enumerate(body)
        )
        blocks = [
            replace(block, chain=replaced(block.chain, (-1 - place,), calls))
            for place, block in enumerate(blocks)
        ]
        blocks.append(found.block)
    ordered = callees_first(body, blocks)
    named = drop_automatic(RecoveredNet(ordered, settle_tags(body)))
    return RecoveredNet(
        tuple(replace(block, chain=rolled(block.chain)) for block in named.blocks),
        tuple(replace(st, chain=rolled(st.chain)) for st in named.body),
        interface.inputs,
        interface.outputs,
        swapped,
    )


def best_block(
    body: tuple[Statement, ...], blocks: list[Block], taken: set[str]
) -> tuple[list[ChainRun], Found] | None:
    """The runs whose block shortens the text most, with that block."""
    chains = [pair for place, st in enumerate(body) for pair in chains_in(st.chain, (place,))]
    for place, block in enumerate(blocks):
        chains += chains_in(block.chain, (-1 - place,))
    labels = {s.label for _, chain in chains for s in stages(chain) if s.label}
    best: tuple[list[ChainRun], Found] | None = None
    for group in groups_of_runs(chains):
        if not labels and repeats_a_block(group[0].items):
            continue  # as `generalise` would find after all its work
        for runs in ways(group):
            found = generalise(runs, taken, labels)
            if found is None:
                continue
            if found.gain >= LEAST_GAIN and (best is None or found.gain > best[1].gain):
                best = (runs, found)
            break
    return best


def ways(group: list[ChainRun]) -> Iterator[list[ChainRun]]:
    """All runs of a group together; else those of equal labels inside, or of equal shortcuts."""
    yield group
    for key in (labels_inside, strict):
        parts: dict[Hashable, list[ChainRun]] = defaultdict(list)
        for run in group:
            parts[key(run)].append(run)
        yield from sorted((p for p in parts.values() if len(p) > 1), key=len, reverse=True)


def labels_inside(run: ChainRun) -> Hashable:
    """The labels of a run without the path that they share."""
    labels = [stage.label for stage in stages(run.items) if stage.label]
    depth = len(common_path(labels))
    return tuple(".".join(label.split(".")[depth:]) for label in labels)


def strict(run: ChainRun) -> Hashable:
    """The skeleton with the shortcut."""
    return chain_skeleton(run.items, relaxed=False)


def callees_first(body: tuple[Statement, ...], blocks: list[Block]) -> tuple[Block, ...]:
    """The blocks in an order in which each stands before its users, as they are first needed."""
    by_name = {block.name: block for block in blocks}
    found: dict[str, Block] = {}

    def visit(name: str) -> None:
        if name in by_name and name not in found:
            for stage in stages(by_name[name].chain):
                visit(stage.callee)
            found[name] = by_name[name]

    for statement in body:
        for stage in stages(statement.chain):
            visit(stage.callee)
    return tuple(found.values())
