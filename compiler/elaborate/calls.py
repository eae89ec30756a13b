"""A block called in place of a layer: its own names, its trail, what comes out of it."""

from __future__ import annotations

from typing import Any

from compiler.bind import bind_block
from compiler.dims import Dim
from compiler.elaborate.layers import describe
from compiler.elaborate.names import label_text, local_name
from compiler.elaborate.sharing import check_all_shared, members_of
from compiler.elaborate.state import MOST_CALLS, Frame, Here, State
from compiler.ops.arguments import show
from compiler.ops.base import show_shape
from compiler.remedies.changes import BlockCall
from compiler.symbols.modules import Closure
from compiler.values import Mistake, Scope, Silenced, Tensor
from grammar import syntax as s
from grammar.diagnostics import CallStep


def enter_block(state: State, stage: s.Stage, block: Closure, here: Here, flow: Tensor) -> Here:
    """The place inside a new call of a block: arguments bound, `in` what flows."""
    check_cycle(state, stage, block, here)
    frame, definition = here.frame, block.definition
    inner = Scope(block.scope)
    bound = bind_block(stage, definition, state.evaluate, here.scope, inner)
    inner.values.update(bound)
    path, local = frame.path, None
    if stage.label is None or label_text(state, stage.label, here):
        local = local_name(state, stage, block.name, here)
        path = frame.name(local)
        state.taken.setdefault(path, stage.span)
    state.calls[stage.span] = BlockCall(stage, definition)
    step = CallStep(block.name, stage.span, path, call_text(stage, block, bound), here.turns())
    members, like = members_of(state, stage, block.name, local, here)
    inner.tensors["in"] = flow
    call_stack = (*frame.call_stack, step)
    call = Frame(path, flow, call_stack, definition, inner=True, members=members, like=like)
    inside = Here(call, inner)
    if definition.kind == "net":
        bind_single_input(state, stage, definition, inside, flow)
    return inside


def check_cycle(state: State, stage: s.Stage, block: Closure, here: Here) -> None:
    """Raise E210 when a block reaches itself, E209 when calls are nested beyond reason."""
    names = [step.block for step in here.frame.call_stack]
    if block.definition is state.net.definition or block.name in names:
        start = names.index(block.name) if block.name in names else 0
        around = [] if block.name in names else [block.name]
        cycle = " -> ".join([*around, *names[start:], block.name])
        raise Mistake("E210", f"block `{block.name}` reaches itself", stage.span, label=cycle)
    if len(names) >= MOST_CALLS:
        raise Mistake("E209", f"blocks are nested more than {MOST_CALLS} deep", stage.span)


def call_text(stage: s.Stage, block: Closure, bound: dict[str, Any]) -> str:
    """The call with the values it was given: `bottleneck(256, stride=2)`."""
    names = list(bound)
    made = [
        show(bound[names[index]])
        if argument.keyword is None
        else f"{argument.keyword}={show(bound[argument.keyword])}"
        for index, argument in enumerate(stage.arguments or ())
    ]
    return f"{block.name}({', '.join(made)})"


def result_of(
    state: State, stage: s.Stage, block: Closure, inside: Here, flow: Tensor | None
) -> Tensor:
    """What a call gives: what flows out of a block, the single output of a net."""
    frame = inside.frame
    if block.definition.kind == "net":
        if len(frame.outputs) != 1 and state.damaged:
            raise Silenced
        if len(frame.outputs) != 1:
            raise Mistake(
                "E504",
                "a net called like a block has one output",
                stage.span,
                label=f"{block.name} has {len(frame.outputs)}",
            )
        flow = next(iter(frame.outputs.values()))
    if frame.like is not None and stage.like is not None:
        check_all_shared(state, stage.like, frame.members, frame.like)
    assert flow is not None
    return flow


def bind_single_input(
    state: State, stage: s.Stage, definition: s.Definition, inside: Here, flow: Tensor
) -> None:
    """Bind a called net's single input to what flows; its symbols become the actual sizes."""
    inputs = [st for st in definition.body.statements if isinstance(st, s.InputDeclaration)]
    if len(inputs) != 1 and any(isinstance(st, s.Broken) for st in definition.body.statements):
        raise Silenced
    if len(inputs) != 1:
        raise Mistake(
            "E504",
            "a net called like a block has one input",
            stage.span,
            label=f"{definition.name.id} has {len(inputs)}",
        )
    if flow.node is None:
        raise Silenced
    scope, sizes = inside.scope, inputs[0].shape.sizes
    fits = len(sizes) == len(flow.shape)
    for size, have in zip(sizes, flow.shape, strict=False):
        if isinstance(size, s.Name) and not scope.has_value(size.id):
            scope.values[size.id] = have
        elif not isinstance(size, s.Wildcard):
            value = state.evaluate(size, scope)
            if isinstance(value, bool) or not isinstance(value, int | Dim):
                raise Mistake("E203", "a size is a whole number", size.span, label=show(value))
            fits = fits and state.facts.equal(have, value)
    if not fits:
        raise Mistake(
            "E301",
            f"net {definition.name.id} takes {inputs[0].shape.span.text}",
            stage.span,
            label=f"but {show_shape(flow.shape)} flows here",
            notes=[f"made by {describe(state.graph[flow.node])}"],
        )
    scope.tensors[inputs[0].name.id] = flow
