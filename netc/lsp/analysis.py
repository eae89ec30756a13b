"""A text checked: its tree, what its names mean, its nets, and every mistake found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from compiler.driver import Checked, FileCheck, all_found, examine
from compiler.elaborate import Made
from compiler.files import Files, real
from compiler.symbols.names import Names, children
from compiler.symbols.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import Diagnostic
from grammar.source import Source
from netc.lsp.costs import Costs

Place = tuple[int, int]


class StageCall(NamedTuple):
    """One call of a stage: the net in which it was made, and what it made."""

    net: Checked
    made: Made


@dataclass(frozen=True)
class AnalysedText:
    """What is known of one text; `used` are the files that it needs, of what it may read."""

    source: Source
    file: s.File
    names: Names
    nets: tuple[Checked, ...]
    diagnostics: tuple[Diagnostic, ...]
    used: frozenset[Path]
    files: Files

    @cached_property
    def calls(self) -> dict[Place, list[StageCall]]:
        """Every call of each stage of this text, in order, by the stage's first and last offset."""
        found: dict[Place, list[StageCall]] = {}
        for net in self.nets:
            for made in net.made:
                span = made.stage.span
                if span.source is self.source:
                    found.setdefault((span.start, span.end), []).append(StageCall(net, made))
        return found

    @cached_property
    def is_whole(self) -> bool:
        """Whether no statement of the text is broken."""
        return not any(isinstance(node, s.Broken) for node in nodes(self.file))

    @cached_property
    def stages(self) -> tuple[s.Stage, ...]:
        """Every stage of this text; one comes before those in its braces."""
        return tuple(node for node in nodes(self.file) if isinstance(node, s.Stage))

    @cached_property
    def _costs(self) -> dict[str, Costs]:
        return {}

    def costs(self, net: Checked) -> Costs:
        """The costs of the calls of one of the nets, reckoned once."""
        if net.graph.name not in self._costs:
            self._costs[net.graph.name] = Costs(net)
        return self._costs[net.graph.name]

    def calls_of(self, stage: s.Stage) -> list[StageCall]:
        """The calls of a stage in the first net that reaches it."""
        calls = self.calls.get((stage.span.start, stage.span.end), [])
        return [call for call in calls if call.net is calls[0].net]

    def stage_named_at(self, offset: int) -> s.Stage | None:
        """The stage whose op or block name covers an offset."""
        for stage in self.stages:
            name = stage.callee
            if name is not None and name.span.start <= offset <= name.span.end:
                return stage
        return None

    def stage_at(self, offset: int) -> s.Stage | None:
        """The innermost stage whose text covers an offset."""
        covering = [st for st in self.stages if st.span.start <= offset <= st.span.end]
        return min(covering, key=lambda st: st.span.end - st.span.start, default=None)


def analyse(source: Source, files: Files | None = None) -> AnalysedText:
    """Check every net of a text; never raises for what the text says."""
    files = replace(files or Files(), seen=set())
    module = examine(source, files)
    nets = tuple(map(FileCheck().net, module.nets()))
    return AnalysedText(
        source,
        module.file,
        resolve(module.file),
        nets,
        tuple(all_found(module, nets)),
        frozenset(files.seen),
        replace(files, root=real(source.path).parent if source.path else None),
    )


def nodes(file: s.File) -> Iterator[s.Syntax]:
    """Every node of a tree, parents first."""
    waiting: list[s.Syntax] = list(reversed(file.items))
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(list(children(node)))
