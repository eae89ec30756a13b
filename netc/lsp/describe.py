"""What ops, blocks and names are, in Markdown: for hover, completion and signature help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from compiler.builtins import BUILTINS
from compiler.ops import OPS
from compiler.ops.arguments import FLAG, show
from compiler.ops.base import is_required, kind_of
from compiler.pictures import Picture
from compiler.symbols.names import NameDefinition
from compiler.training.augmentations import AUGMENTATIONS
from compiler.training.expressions import LOSSES
from compiler.training.optimisers import OPTIMISERS
from compiler.training.schedules import SCHEDULES
from grammar import syntax as s
from netc.reference import parameter_table, usage

MEASURES = {
    "params": "learnable values, shared ones counted once",
    "trainable": "learnable values whose numbers the definition does not fix",
    "macs": "multiply-accumulates per sample",
    "depth": "layers on the longest path that hold weights",
    "memory": "bytes of float32 activations alive at once, per sample",
    "rf": "receptive field of a tensor, in input pixels: rf(tensor)",
}
# What only a training calls, and the words that begin its statements.
LEARNED: dict[str, type[Any]] = {**AUGMENTATIONS, **SCHEDULES, **OPTIMISERS, **LOSSES}
LEARNING = {
    "data": "One sample of the data: `data image: f32[1, 28, 28], label: class[10]`.",
    "noise": "Drawn anew for each step: `noise z: f32[100] normal`.",
    "augment": "Changes in training only: `augment image: crop(24) -> flip`.",
    "minimize": "The objective, one number a sample: `minimize cross_entropy(logits, label)`.",
    "maximize": "The objective, one number a sample: `maximize log(D(x))`.",
    "report": "What is measured besides: `report accuracy(logits, label) as top1`.",
    "update": 'Which parameters move and how: `update net only "fc.*" with adam(1e-3)`.',
    "batch": "How many samples a step takes.",
    "epochs": "How often the run passes through the data.",
    "accumulate": "How many batches' gradients are averaged before the parameters move.",
    "step": "One objective of several, taken in turn.",
    "show": "A picture of a fixed draw after each epoch: `show G(z) grid 8x8 as samples`.",
}
SIZES = {
    "c": "channels",
    "h": "height",
    "w": "width (the length of a wave)",
    "d": "depth",
    "shape": "all sizes, a list",
    "rank": "how many spatial axes",
}
KIND_WORDS = {
    "let": "value",
    "used": "from another file",
    "parameter": "parameter",
    "loop": "loop name",
    "symbol": "symbolic size",
    "input": "input",
    "data": "data of a training",
    "noise": "noise, drawn for each step",
    "tensor": "tensor",
    "output": "output",
    "label": "label",
    "pattern": "labels of a loop",
}


@dataclass(frozen=True)
class Slot:
    """A parameter of an op, block or `picture(…)`: how it is written, what it means.

    `default` is None for one that a call must give; `kind` says in words what it may be.
    """

    name: str
    default: str | None
    kind: str = ""
    meaning: str = ""

    def __str__(self) -> str:
        return self.name if self.default is None else f"{self.name}={self.default}"


def op_slots(op: type[Any]) -> tuple[Slot, ...]:
    """The parameters of an op (or of `picture`)."""
    return tuple(
        Slot(
            each.name,
            None if is_required(each) else each.metadata["default_text"] or show(each.default),
            kind_of(each).words,
            each.metadata["doc"],
        )
        for each in sorted(fields(op), key=lambda each: bool(each.kw_only))
    )


def block_slots(definition: s.Definition) -> tuple[Slot, ...]:
    """The parameters of a block or net."""
    return tuple(
        Slot(p.name.id, None if p.default is None else p.default.span.text)
        for p in definition.parameters
    )


def slots_of(name: str) -> tuple[Slot, ...] | None:
    """The parameters of what the language itself calls `name`."""
    if name == "picture":
        return op_slots(Picture)
    if name in OPS:
        return op_slots(OPS[name])
    return op_slots(LEARNED[name]) if name in LEARNED else None


def code(text: str) -> str:
    """A piece of the language as Markdown."""
    return f"```netdef\n{text}\n```"


def op_text(name: str, here: Sequence[str] = ()) -> str:
    """An op: how it is written, what a stage makes of it `here`, what it does, its parameters."""
    op = OPS[name]
    about = "\n".join([inspect.getdoc(op) or "", "", *parameter_table(op)])
    return "\n\n".join([code(usage(op)), *here, about])


def block_text(definition: s.Definition, here: Sequence[str] = ()) -> str:
    """A block or net: how it is called, what it makes `here`, and the comment above it."""
    slots = ", ".join(map(str, block_slots(definition)))
    head = code(f"{definition.kind} {definition.name.id}({slots})")
    return "\n\n".join(part for part in [head, *here, definition.doc] if part)


def slot_text(slot: Slot) -> str:
    """A parameter of an op, or of a block, whose parameters say nothing of themselves."""
    if not slot.kind:
        return code(str(slot))
    default = "" if slot.default is None else f" By default `{slot.default}`."
    return f"{code(str(slot))}\n{slot.meaning[:1].upper()}{slot.meaning[1:]}: {slot.kind}.{default}"


def word_text(word: str, here: Sequence[str] = ()) -> str | None:
    """What the language itself means by a word: an op, a function, a measure."""
    if word in OPS:
        return op_text(word, here)
    if word in LEARNED:
        slots = ", ".join(map(str, op_slots(LEARNED[word])))
        return "\n\n".join([code(f"{word}({slots})"), inspect.getdoc(LEARNED[word]) or ""])
    if word in LEARNING:
        return LEARNING[word]
    if word in BUILTINS:
        return code(BUILTINS[word].usage)
    if word in MEASURES:
        return f"{code(word)}\n{MEASURES[word].capitalize()}."
    return None


def definition_text(definition: NameDefinition, here: Sequence[str] = ()) -> str:
    """A definition: a block as it is called, anything else by the line that defines it."""
    node = definition.node
    if isinstance(node, s.Definition) and definition.kind in ("block", "net", "train"):
        return block_text(node, here)
    line = definition.span.source.line(definition.span.line).strip()
    first = node.span.text.splitlines()[0] if node.span.text else line
    head = first if definition.kind in ("let", "parameter", "used", "input") else line
    rendered = f"{code(head.strip())}\n{KIND_WORDS[definition.kind].capitalize()}."
    return "\n\n".join([rendered, *here])


def choices(slot: Slot) -> Iterator[str]:
    """The words that a parameter may be: strings in quotes, or the truth values."""
    if slot.kind == FLAG.words or slot.default in ("true", "false"):
        yield from ("true", "false")
    yield from (part for part in slot.kind.replace(",", " ").split() if part.startswith('"'))
