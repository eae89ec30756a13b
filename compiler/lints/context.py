"""A checked net as the rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from compiler.analysis import Analysis
from compiler.bind import argument_of, names_of
from compiler.elaborate import Elaborated
from compiler.graph import Graph, Node
from compiler.ops import OPS
from compiler.ops.base import Axis
from compiler.ops.shapes import axis_names
from compiler.remedies.changes import Change
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix, Remedy
from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class LintContext:
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

    @cached_property
    def windows(self) -> list[tuple[Node, list[tuple[str, int, Axis]]]]:
        """Each layer that slides a window, with (name, size, window) of each axis of known size."""
        found = []
        for node in self.graph.nodes():
            if not node.inputs or OPS.get(node.op.name) is None:
                continue
            shapes = self.graph.input_shapes(node)
            reach = node.op.reach(shapes, node.shape, self.graph.facts)
            spatial = shapes[0][1:]
            if reach.kind == "window" and len(reach.axes) == len(spatial):
                named = zip(axis_names(len(spatial)), spatial, reach.axes, strict=True)
                known = [(name, size, axis) for name, size, axis in named if isinstance(size, int)]
                found.append((node, known))
        return found

    def warn(
        self,
        code: str,
        node: Node,
        message: str,
        *,
        argument: str | None = None,
        label: str = "",
        notes: Sequence[str] = (),
        help: Remedy | str | None = None,
        change: tuple[str, Any] | None = None,
    ) -> Diagnostic:
        """A warning at a layer, or at one of its arguments; `change` is the exact remedy."""
        stage = self.elaborated.around.stages.get(node.span)
        fixes: tuple[Fix, ...] = ()
        if change is not None:
            fixes = tuple(self.elaborated.around.fixes([Change((node,), *change)]))
        return Diagnostic.of(
            code,
            message,
            self.place(node, stage, argument),
            label,
            tuple(notes),
            help,
            node.call_stack,
            "warning",
            fixes,
        )

    def place(self, node: Node, stage: s.Stage | None, argument: str | None) -> Span:
        """Where a layer stands, or an argument of it that is written out."""
        if stage is None or stage.callee is None:
            return node.span
        given = argument_of(stage, argument, names_of(node.op)) if argument else None
        return stage.callee.span if given is None else given.value.span
