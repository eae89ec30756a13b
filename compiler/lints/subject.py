"""A checked net as the rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from compiler.analysis import Analysis
from compiler.changes import Change, argument_of, fix_of
from compiler.elaborate import Elaborated
from compiler.graph import Graph, Node
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix
from grammar.source import Span


@dataclass(frozen=True)
class Subject:
    """A net without errors: how it was elaborated, and what it measures."""

    elaborated: Elaborated
    analysis: Analysis

    @property
    def graph(self) -> Graph:
        """The net's graph."""
        return self.elaborated.graph

    @cached_property
    def users(self) -> dict[str, list[Node]]:
        """For each layer those that take its tensor."""
        return self.graph.users()

    def warn(
        self,
        code: str,
        node: Node,
        message: str,
        *,
        argument: str | None = None,
        label: str = "",
        notes: Sequence[str] = (),
        help: str | None = None,
        change: tuple[str, Any] | None = None,
    ) -> Diagnostic:
        """A warning at a layer, or at one of its arguments; `change` is the exact remedy."""
        stage = self.elaborated.around.stages.get(node.span)
        fixes: tuple[Fix, ...] = ()
        if change is not None:
            fix = fix_of(Change((node,), *change), stage)
            fixes = () if fix is None else (fix,)
        return Diagnostic(
            code,
            message,
            self.place(node, stage, argument),
            label,
            tuple(notes),
            help,
            node.trail,
            "warning",
            fixes,
        )

    def place(self, node: Node, stage: s.Stage | None, argument: str | None) -> Span:
        """Where a layer stands, or an argument of it that is written out."""
        if stage is None or stage.callee is None:
            return node.span
        given = argument_of(stage, argument, node.op) if argument else None
        return stage.callee.span if given is None else given.value.span
