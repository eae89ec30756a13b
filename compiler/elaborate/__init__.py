"""Syntax tree to graph: blocks, loops and branches unrolled, each node's shape inferred at once.

Elaboration goes on after a mistake: what depends on it is poisoned and stays silent, the rest is
still checked, and an asserted shape of plain numbers takes the place of a shape that is not known.

    state       what is known so far; where we are; how a mistake is kept
    interface   parameters, inputs and outputs of the net
    callees     what the name of a stage stands for
    flow        statements, chains, joins, block calls: the recursion
    loops       the turns of `for`, `repeat` and `if`
    layers      an op becomes a node
    names       labels and automatic names
    sharing     `like`
    assertions  `assert` and shape assertions
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from compiler.domain import Contradiction, valid_domain
from compiler.elaborate.flow import run_body
from compiler.elaborate.interface import begin, bind_parameters
from compiler.elaborate.names import check_bare_names, check_outside_names
from compiler.elaborate.state import (
    Elaborated,
    ElaborationStopped,
    Frame,
    Here,
    Made,
    Members,
    State,
)
from compiler.remedies.changes import Change
from compiler.symbols.modules import Closure
from compiler.values import Mistake, Scope
from grammar.diagnostics import Diagnostic, deduplicate

__all__ = ["Elaborated", "Made", "elaborate"]


def elaborate(
    net: Closure,
    overrides: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Elaborated:
    """Unroll a net; `overrides` are values for its parameters, `sizes` for its symbols."""

    def errors_after(change: Change) -> int:
        changed = State(net, change, lambda _: 0)
        unroll(changed, overrides, sizes)
        return len(deduplicate(changed.diagnostics))

    state = State(net, None, errors_after)
    scope = unroll(state, overrides, sizes)
    also = None
    if state.guessed:
        other = State(net, None, lambda _: 0)
        other.takes_first = False
        unroll(other, overrides, sizes)
        also = {(d.code, d.span) for d in other.diagnostics}
    named = {name: t.node for name, t in scope.tensors.items() if t.node is not None}
    graph = replace(state.finished(), tensors=named)
    try:
        if state.symbols:
            graph = graph.with_domain(valid_domain(state.facts, state.conditions, state.symbols))
    except Contradiction as error:
        state.diagnostics.append(
            Diagnostic.of("E308", f"no input size is valid: {error}", net.definition.name.span)
        )
    return Elaborated(
        net.definition,
        graph,
        tuple(state.contracts),
        scope,
        tuple(state.made),
        tuple(state.final_diagnostics(also)) if state.diagnostics else (),
        state.around,
        state.damaged,
        frozenset(state.results),
        state.effort,
    )


def unroll(
    state: State, overrides: Mapping[str, Any] | None, sizes: Mapping[str, int] | None
) -> Scope:
    """Run the body of a net into its state; returns its scope."""
    net, definition = state.net, state.net.definition
    frame = Frame("", None, (), definition, inner=False, members=Members(""))
    here = Here(frame, Scope(net.scope))
    with suppress(ElaborationStopped), state.reporting(here):
        bind_parameters(state, overrides or {}, here)
        here.scope.values.update(sizes or {})
        flow = begin(state, here)
        run_body(state, definition.body, here, flow)
        check_outside_names(state)
        check_bare_names(state)
        if not here.frame.outputs and not state.diagnostics and not state.damaged:
            raise Mistake(
                "E501",
                f"net {net.name} has no output",
                definition.name.span,
                help="end it with `output name`",
            )
    return here.scope
