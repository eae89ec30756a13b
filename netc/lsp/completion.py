"""What may be written at the cursor, from the op classes and the names in scope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.builtins import BUILTINS
from compiler.ops import OPS
from compiler.ops.base import is_join
from compiler.ops.losses import FUNCTIONS
from compiler.symbols.names import NameDefinition
from compiler.training.augmentations import AUGMENTATIONS
from compiler.training.expressions import LOSSES
from compiler.training.optimisers import OPTIMISERS
from compiler.training.schedules import SCHEDULES
from grammar import syntax as s
from grammar.lexemes import LEARNING
from netc.lsp.analysis import AnalysedText
from netc.lsp.context import Context, OpenCall, context_at
from netc.lsp.describe import (
    MEASURES,
    SIZES,
    Slot,
    block_slots,
    block_text,
    choices,
    definition_text,
    op_text,
    slot_text,
    slots_of,
    word_text,
)
from netc.lsp.positions import Shifted
from netc.lsp.project import Project
from netc.lsp.scope import TENSORS, ItemKind, Proposal, Reachable
from netc.lsp.use_files import files, used_names

ITEM_WORDS = ("use", "let", "block", "net", "train")
TRUTHS = ("true", "false")
EVERYDAY = ("conv", "relu", "bn", "maxpool", "dense", "flatten", "dropout", "gap")  # ops, first
LEARNING_WORDS = (*sorted(LEARNING), "let", "repeat", "if", "assert", "expect")
STATEMENT_WORDS = ("input", "output", "let", "for", "repeat", "if", "assert", "expect")


@dataclass(frozen=True)
class Completion:
    """The proposals, and from where on they take the place of what stands there."""

    start: int
    items: tuple[Proposal, ...]


def complete(project: Project, analysis: AnalysedText, text: str, offset: int) -> Completion:
    """The proposals at an offset of `text`, which may be newer than the analysis."""
    context = context_at(text, offset)
    scope = Reachable(
        project, analysis, Shifted(analysis.source.text, text).backward(context.start)
    )
    rest = re.compile(r"\w*(.*)").match(text, offset)
    behind = rest[1] if rest else ""
    fitting = (fitted(item, behind) for item in proposals(scope, context, text))
    unique = {(item.label, item.insert): item for item in fitting}
    return Completion(context.start, tuple(unique.values()))


def fitted(item: Proposal, behind: str) -> Proposal:
    """A proposal without what stands behind the cursor already: `(…)` of a call, `=`, `{`."""
    if behind.startswith("(") or behind.lstrip().startswith("{"):
        return replace(item, snippet=None)
    if item.kind == "parameter" and behind.startswith("=") and item.insert is not None:
        return replace(item, insert=item.insert.removesuffix("="))
    return item


def proposals(scope: Reachable, context: Context, text: str) -> Iterator[Proposal]:
    """What fits a context."""
    match context.kind:
        case "item":
            yield from map(keyword, ITEM_WORDS)
        case "statement":
            yield from stages(scope, first=True)
            yield from map(keyword, STATEMENT_WORDS)
        case "start":
            yield from stages(scope, first=True)
        case "stage":
            yield from stages(scope, first=False)
        case "follow":
            yield from map(keyword, following([token.text for token in context.statement]))
        case "argument" | "value" | "string":
            yield from arguments(scope, context)
            if context.trains and context.kind != "string":
                yield from learned(LOSSES, FUNCTIONS, SCHEDULES)
        case "learning":
            yield from map(keyword, LEARNING_WORDS)
        case "expression":
            yield from learned(LOSSES, FUNCTIONS)
            yield from names(scope, stage=True, tensors=True)
        case "augmentation":
            yield from learned(AUGMENTATIONS)
        case "optimiser":
            yield from learned(OPTIMISERS)
        case "net":
            yield from (item for item in names(scope, stage=False, tensors=False))
        case "with":
            yield from map(keyword, ("with", "only"))
        case "data type":
            yield Proposal("f32", "keyword", "numbers")
            yield Proposal("class", "keyword", "a whole number below n: class[10]")
        case "distribution":
            yield from map(keyword, ("normal", "uniform"))
        case "measure":
            yield from (Proposal(m, "value", MEASURES[m], rank=1) for m in MEASURES)
            yield from values(scope)
        case "size":
            yield from (Proposal(name, "parameter", SIZES[name]) for name in SIZES)
        case "label":
            labels = (d for d in scope.visible if d.kind == "label")
            yield from (Proposal(d.name, "tensor", "label") for d in labels)
        case "used":
            yield from used_names(scope, context, text)
        case "file":
            yield from files(scope, context.word)
        case "type":
            yield Proposal("f32", "keyword", "float32, the usual type of an input")
            yield Proposal("i64", "keyword", "whole numbers, which `gather` makes vectors of")
        case "from" | "in":
            yield keyword(context.kind)
        case "origin":
            yield Proposal("picture", "function", "how a picture becomes this input")


def learned(*tables: Mapping[str, Any]) -> Iterator[Proposal]:
    """What only a training calls: losses, functions, optimisers, schedules, augmentations."""
    for name in dict.fromkeys(name for table in tables for name in table):
        required = [slot.name for slot in slots_of(name) or () if slot.default is None]
        yield Proposal(
            name,
            "function",
            "training",
            word_text(name) or "",
            name,
            call_snippet(name, required),
            2,
        )


def keyword(word: str) -> Proposal:
    return Proposal(word, "keyword", rank=8)


def following(statement: Sequence[str]) -> tuple[str, ...]:
    """The words that can go on a statement."""
    match statement:
        case ["if", *_]:
            return ("if",) if statement[-1] == "else" else ("else",)
        case ["output", _]:
            return ("as", "labels")
        case ["output", *_]:
            return ("as", "like", "labels")
    return ("as", "like")


def stages(scope: Reachable, *, first: bool) -> Iterator[Proposal]:
    """Ops and blocks; tensors at the beginning of a chain."""
    for name, op in OPS.items():
        joins = is_join(op)
        required = [slot.name for slot in slots_of(name) or () if slot.default is None]
        snippet = f"{name} {{\n\t$0\n}}" if joins else call_snippet(name, required)
        rank = 4 if name in EVERYDAY else 5
        yield Proposal(name, "op", op.group, op_text(name), name, snippet, rank)
    yield from names(scope, stage=True, tensors=first)
    if first:
        yield Proposal("in", "tensor", "what entered this body", rank=6)


def call_snippet(name: str, required: Iterable[str]) -> str:
    """A call with a place to fill in for each parameter it needs."""
    places = [f"${{{index}:{name}}}" for index, name in enumerate(required, start=1)]
    return f"{name}({', '.join(places)})" if places else name


def arguments(scope: Reachable, context: Context) -> Iterator[Proposal]:
    """A keyword or a value; in a string the words that the parameter knows."""
    call = context.call
    slots = scope.slots(call) if call else ()
    slot = slot_at(slots, call) if call else None
    known = list(choices(slot)) if slot else []
    if context.kind == "string":
        for order, choice in enumerate(known):
            if choice.startswith('"'):
                yield Proposal(choice.strip('"'), "value", slot.name if slot else "", order=order)
        return
    if context.kind == "argument" and call is not None:
        for order, one in enumerate(open_slots(slots, call)):
            insert, default = f"{one.name}=", one.default or ""
            yield Proposal(
                insert, "parameter", default, slot_text(one), insert, rank=1, order=order
            )
    yield from (Proposal(word, "value", rank=7) for word in TRUTHS if word not in known)
    yield from values(scope)
    if call is not None and scope.block(call.callee) is not None:
        yield from (Proposal(n, "op", op.group, op_text(n), n, rank=7) for n, op in OPS.items())
    for order, choice in enumerate(known):
        yield Proposal(choice, "value", slot.name if slot else "", rank=2, order=order)


def open_slots(slots: tuple[Slot, ...], call: OpenCall) -> list[Slot]:
    """The parameters that no earlier argument has given."""
    joins = call.callee in OPS and is_join(OPS[call.callee])
    positions = 0 if joins else call.position - len(call.given)
    return [slot for slot in slots[positions:] if slot.name not in call.given]


def slot_at(slots: tuple[Slot, ...], call: OpenCall) -> Slot | None:
    """The parameter that the argument at the cursor gives."""
    if call.keyword is not None:
        return next((slot for slot in slots if slot.name == call.keyword), None)
    return slots[call.position] if call.position < len(slots) else None


def values(scope: Reachable) -> Iterator[Proposal]:
    """What may stand in an expression."""
    yield from names(scope, stage=False, tensors=True)
    for name, function in BUILTINS.items():
        yield Proposal(name, "function", function.usage, word_text(name) or "", rank=7)
    yield Proposal("in", "tensor", "what entered this body", rank=6)


def names(scope: Reachable, *, stage: bool, tensors: bool) -> Iterator[Proposal]:
    """The names in scope that can be a stage or a value; the innermost come last, and win."""
    here = scope.project.text_of(scope.analysis)
    for definition in scope.visible:
        if definition.kind in ("used", "block", "net"):
            homes = scope.project.homes(here, definition)
            node = homes[0].definition.node if homes else None
            if isinstance(node, s.Definition):
                yield block_item(node, stage=stage)
            elif not stage:
                yield named(definition, "value")
        elif definition.kind in TENSORS:
            if tensors:
                yield named(definition, "tensor")
        elif definition.kind == "parameter" or (not stage and definition.kind != "pattern"):
            yield named(definition, "value")


def named(definition: NameDefinition, kind: ItemKind) -> Proposal:
    return Proposal(definition.name, kind, definition.kind, definition_text(definition), rank=3)


def block_item(block: s.Definition, *, stage: bool) -> Proposal:
    """A block, called in a stage, by its bare name in a value."""
    name = block.name.id
    required = [slot.name for slot in block_slots(block) if slot.default is None]
    snippet = (call_snippet(name, required) if required else f"{name}()") if stage else None
    rank = 2 if stage else 6
    return Proposal(name, "block", block.kind, block_text(block), name, snippet, rank)
