"""What may be written at the cursor, from the op classes and the names in scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from compiler.builtins import BUILTINS
from compiler.modules import LIBRARY
from compiler.names import Definition
from compiler.ops import OPS
from grammar import syntax as s
from netc.lsp.analysis import Analysis
from netc.lsp.context import Context, OpenCall, context_at
from netc.lsp.describe import (
    MEASURES,
    SIZES,
    Slot,
    block_slots,
    block_text,
    definition_text,
    op_text,
    quoted_choices,
    slot_text,
    slots_of,
    word_text,
)
from netc.lsp.positions import Moved
from netc.lsp.project import Project

ItemKind = Literal["op", "block", "value", "tensor", "parameter", "keyword", "function", "file"]
ITEM_WORDS = ("use", "let", "block", "net")
STATEMENT_WORDS = ("input", "output", "let", "for", "repeat", "if", "assert", "expect")
TENSORS = ("input", "tensor", "output", "label")


@dataclass(frozen=True)
class Item:
    """One proposal: `insert` takes the place of the word at the cursor.

    `snippet` is the same with places to fill in (`conv(${1:channels}, ${2:kernel})`); `rank` says
    which come first.
    """

    label: str
    kind: ItemKind
    detail: str = ""
    text: str = ""
    insert: str | None = None
    snippet: str | None = None
    rank: int = 5


@dataclass(frozen=True)
class Completion:
    """The proposals, and from where on they take the place of what stands there."""

    start: int
    items: tuple[Item, ...]


def complete(project: Project, analysis: Analysis, text: str, offset: int) -> Completion:
    """The proposals at an offset of `text`, which may be newer than the analysis."""
    context = context_at(text, offset)
    scope = Scope(project, analysis, Moved(analysis.source.text, text).backward(context.start))
    unique = {item.label: item for item in proposals(scope, context, text)}
    return Completion(context.start, tuple(unique.values()))


class Scope:
    """What can be named at an offset of an analysed text."""

    def __init__(self, project: Project, analysis: Analysis, offset: int) -> None:
        self.project = project
        self.analysis = analysis
        self.visible = analysis.names.visible(offset)

    def block(self, name: str) -> s.Definition | None:
        """The block or net of this name, in whatever file."""
        here = self.project.text_of(self.analysis)
        for definition in reversed(self.visible):
            if definition.name == name and definition.kind not in TENSORS:
                homes = self.project.homes(here, definition)
                node = homes[0].definition.node if homes else None
                return node if isinstance(node, s.Definition) else None
        return None

    def slots(self, call: OpenCall) -> tuple[Slot, ...]:
        """The parameters of what a call names."""
        block = self.block(call.callee)
        return block_slots(block) if block else slots_of(call.callee) or ()


def proposals(scope: Scope, context: Context, text: str) -> Iterator[Item]:
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
            words = ("else",) if context.statement[0].text == "if" else ("as", "like")
            yield from map(keyword, words)
        case "argument" | "value" | "string":
            yield from arguments(scope, context)
        case "measure":
            yield from (Item(m, "value", MEASURES[m], rank=1) for m in MEASURES)
            yield from values(scope)
        case "size":
            yield from (Item(name, "parameter", SIZES[name]) for name in SIZES)
        case "label":
            labels = (d for d in scope.visible if d.kind == "label")
            yield from (Item(d.name, "tensor", "label") for d in labels)
        case "used":
            yield from used_names(scope, context, text)
        case "file":
            yield from files(scope)
        case "type":
            yield Item("f32", "keyword", "float32, the type of every input")
        case "from" | "in":
            yield keyword(context.kind)
        case "origin":
            yield Item("picture", "function", "how a picture becomes this input")


def keyword(word: str) -> Item:
    return Item(word, "keyword", rank=8)


def stages(scope: Scope, *, first: bool) -> Iterator[Item]:
    """Ops and blocks; tensors at the beginning of a chain."""
    for name, op in OPS.items():
        joins = op.most_inputs != 1
        required = [slot.name for slot in slots_of(name) or () if slot.default is None]
        snippet = f"{name} {{\n\t$0\n}}" if joins else call_snippet(name, required)
        yield Item(name, "op", op.group, op_text(name), name, snippet)
    yield from names(scope, stage=True, tensors=first)
    if first:
        yield Item("in", "tensor", "what entered this body", rank=6)


def call_snippet(name: str, required: Iterable[str]) -> str:
    """A call with a place to fill in for each parameter it needs."""
    places = [f"${{{index}:{name}}}" for index, name in enumerate(required, start=1)]
    return f"{name}({', '.join(places)})" if places else name


def arguments(scope: Scope, context: Context) -> Iterator[Item]:
    """A keyword or a value; in a string the words that the parameter knows."""
    call = context.call
    slots = scope.slots(call) if call else ()
    slot = slot_at(slots, call) if call else None
    if context.kind == "string":
        choices = quoted_choices(slot) if slot else ()
        yield from (Item(c.strip('"'), "value", slot.name if slot else "") for c in choices)
        return
    if context.kind == "argument" and call is not None:
        for one in open_slots(slots, call):
            insert = f"{one.name}="
            yield Item(insert, "parameter", one.default or "", slot_text(one), insert, rank=1)
    for choice in quoted_choices(slot) if slot else ():
        yield Item(choice, "value", slot.name if slot else "", rank=2)
    yield from (Item(word, "value", rank=3) for word in ("true", "false"))
    yield from values(scope)


def open_slots(slots: tuple[Slot, ...], call: OpenCall) -> list[Slot]:
    """The parameters that no earlier argument has given."""
    joins = call.callee in OPS and OPS[call.callee].most_inputs != 1
    positions = 0 if joins else call.position - len(call.given)
    return [slot for slot in slots[positions:] if slot.name not in call.given]


def slot_at(slots: tuple[Slot, ...], call: OpenCall) -> Slot | None:
    """The parameter that the argument at the cursor gives."""
    if call.keyword is not None:
        return next((slot for slot in slots if slot.name == call.keyword), None)
    return slots[call.position] if call.position < len(slots) else None


def values(scope: Scope) -> Iterator[Item]:
    """What may stand in an expression."""
    yield from names(scope, stage=False, tensors=True)
    for name, function in BUILTINS.items():
        yield Item(name, "function", function.usage, word_text(name) or "", rank=7)
    yield Item("in", "tensor", "what entered this body", rank=6)


def names(scope: Scope, *, stage: bool, tensors: bool) -> Iterator[Item]:
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


def named(definition: Definition, kind: ItemKind) -> Item:
    return Item(definition.name, kind, definition.kind, definition_text(definition), rank=3)


def block_item(block: s.Definition, *, stage: bool) -> Item:
    """A block, called in a stage, by its bare name in a value."""
    name = block.name.id
    required = [slot.name for slot in block_slots(block) if slot.default is None]
    snippet = (call_snippet(name, required) if required else f"{name}()") if stage else None
    return Item(name, "block", block.kind, block_text(block), name, snippet, rank=2)


def used_names(scope: Scope, context: Context, text: str) -> Iterator[Item]:
    """What the file of a `use` defines, when its name stands on the line already."""
    line_end = text.find("\n", context.start)
    line = text[context.start : line_end if line_end >= 0 else len(text)]
    _, found, rest = line.partition("from")
    name = rest.strip().strip('"')
    here = scope.analysis.source.path
    folders = [here.parent] if here else []
    for folder in [*folders, *scope.analysis.include, LIBRARY] if found and name else []:
        other = scope.project.text(folder / name)
        for definition in other.names.definitions if other else ():
            if definition.owner is None:
                text_of = definition_text(definition)
                yield Item(definition.name, "block", definition.kind, text_of)


def files(scope: Scope) -> Iterator[Item]:
    """The files that `use` can name: beside this one, in the given folders, in the library."""
    here = scope.analysis.source.path
    for folder in [*([here.parent] if here else []), *scope.analysis.include, LIBRARY]:
        for path in sorted(folder.glob("*.netdef")):
            if here is None or path != here:
                yield Item(path.name, "file", folder.name)
