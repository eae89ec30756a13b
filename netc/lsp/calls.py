"""The call that is being written: its parameters, and which of them is next."""

from __future__ import annotations

from dataclasses import dataclass

from netc.lsp.analysis import AnalysedText
from netc.lsp.context import context_at
from netc.lsp.describe import Slot, block_text, slot_text
from netc.lsp.positions import Shifted
from netc.lsp.project import Project
from netc.lsp.scope import Reachable


@dataclass(frozen=True)
class Signature:
    """`conv(channels, kernel, stride=1, …)`; `active` is the index of a parameter, or None."""

    callee: str
    slots: tuple[Slot, ...]
    active: int | None
    text: str

    @property
    def label(self) -> str:
        """The call with every parameter and default."""
        return f"{self.callee}({', '.join(map(str, self.slots))})"

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where each parameter stands in the label."""
        start, found = len(self.callee) + 1, []
        for slot in self.slots:
            found.append((start, start + len(str(slot))))
            start += len(str(slot)) + 2
        return found


def signature_at(
    project: Project, analysis: AnalysedText, text: str, offset: int
) -> Signature | None:
    """The call around an offset of `text`, which may be newer than the analysis."""
    call = context_at(text, offset).call
    if call is None:
        return None
    scope = Reachable(project, analysis, Shifted(analysis.source.text, text).backward(call.start))
    slots = scope.slots(call)
    if not slots:
        return None
    names = [slot.name for slot in slots]
    active: int | None = call.position if call.position < len(slots) else None
    if call.keyword is not None:
        active = names.index(call.keyword) if call.keyword in names else None
    block = scope.block(call.callee)
    rendered = (
        block_text(block) if block else slot_text(slots[active]) if active is not None else ""
    )
    return Signature(call.callee, slots, active, rendered)
