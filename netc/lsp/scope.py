"""What can be named at a place of a text, and a proposal for the editor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compiler.symbols.names import NameDefinition
from grammar import syntax as s
from netc.lsp.analysis import AnalysedText
from netc.lsp.context import OpenCall
from netc.lsp.describe import Slot, block_slots, slots_of
from netc.lsp.project import Project

ItemKind = Literal["op", "block", "value", "tensor", "parameter", "keyword", "function", "file"]
TENSORS = ("input", "data", "noise", "tensor", "output", "label")


@dataclass(frozen=True)
class Proposal:
    """One proposal: `insert` takes the place of the word at the cursor.

    `snippet` is the same with places to fill in (`conv(${1:channels}, ${2:kernel})`); `rank`, and
    among equals `order`, say which come first.
    """

    label: str
    kind: ItemKind
    detail: str = ""
    text: str = ""
    insert: str | None = None
    snippet: str | None = None
    rank: int = 5
    order: int = 0


class Reachable:
    """What can be named at an offset of an analysed text."""

    def __init__(self, project: Project, analysis: AnalysedText, offset: int) -> None:
        self.project = project
        self.analysis = analysis
        self.visible = tuple(d for d in analysis.names.visible(offset) if not around(d, offset))

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


def around(definition: NameDefinition, offset: int) -> bool:
    """Whether a place lies in a block or net itself, which must not call itself."""
    span = definition.node.span
    return definition.kind in ("block", "net", "train") and span.start <= offset < span.end
