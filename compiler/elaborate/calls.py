"""A block called in place of a layer: its own names, its trail, what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from compiler.bind import bind_block
from compiler.dims import Dim
from compiler.elaborate.callees import nothing_flows, tensor_given
from compiler.elaborate.layers import describe
from compiler.elaborate.names import check_all_shared, label_text, local_name, members_of
from compiler.elaborate.state import MOST_CALLS, Frame, Here, State
from compiler.graph import is_whole
from compiler.ops.arguments import show
from compiler.ops.base import show_shape
from compiler.remedies.changes import BlockCall
from compiler.symbols.modules import Closure
from compiler.values import Flow, Mistake, Results, Scope, Silenced, Tensor, not_taken
from grammar import syntax as s
from grammar.diagnostics import CallStep


def enter_block(
    state: State, stage: s.Stage, block: Closure, here: Here, flow: Tensor | None, *, first: bool
) -> Here:
    """The place inside a new call of a block or net: arguments bound, `in` what flows."""
    frame, definition = here.frame, block.definition
    check_depth(state, stage, block, here)
    inner = Scope(block.scope)
    inputs: list[Tensor] = [] if flow is None else [flow]
    if definition.kind == "net":
        stage, given = tensors_first(state, stage, here, first)
        inputs = given or inputs
        flow = inputs[0] if len(inputs) == 1 else None
    bound = bind_block(stage, definition, state.evaluate, here.scope, inner)
    inner.values.update(bound)
    check_cycle(stage, block, here, bound, flow)
    path, local = frame.path, None
    if stage.label is None or label_text(state, stage.label, here):
        local = local_name(state, stage, block.name, here)
        path = frame.name(local)
        state.taken.setdefault(path, stage.span)
    state.calls[stage.span] = BlockCall(stage, definition)
    step = CallStep(
        block.name,
        stage.span,
        path,
        call_text(stage, block, bound),
        here.turns(),
        tuple(bound.items()),
        definition.doc,
        lets_of(state, definition),
        here.loops(),
    )
    members, like = members_of(state, stage, block.name, local, here)
    if flow is not None:
        inner.tensors["in"] = flow
    call = Frame(
        path,
        flow,
        (*frame.call_stack, step),
        definition,
        inner=True,
        members=members,
        like=like,
        given=bound,
        caller=frame,
        position=frame.position if local is None else None,
    )
    inside = Here(call, inner)
    if definition.kind == "net":
        bind_inputs(state, stage, definition, inside, inputs)
    return inside


def lets_of(state: State, definition: s.Definition) -> tuple[tuple[str, str], ...]:
    """What a block gives one name each at its top, as text."""
    if id(definition) not in state.lets:
        state.lets[id(definition)] = tuple(
            (statement.names[0].id, statement.value.span.text)
            for statement in definition.body.statements
            if isinstance(statement, s.Let)
            and len(statement.names) == 1
            and isinstance(statement.names[0], s.Name)
        )
    return state.lets[id(definition)]


def enter_seq(state: State, stage: s.Stage, here: Here, word: str = "seq") -> Here:
    """The place inside a `seq`, whose layers are numbered; what it calls `in` stays.

    `word` is what it is called without a label.
    """
    frame, local = here.frame, None
    if stage.label is None or label_text(state, stage.label, here):
        local = local_name(state, stage, word, here)
        state.taken.setdefault(frame.name(local), stage.span)
    members, like = members_of(state, stage, word, local, here)
    if local is None:
        position = count() if frame.position is None else frame.position
        return Here(
            replace(frame, position=position, members=members, like=like), here.inside().scope
        )
    inner = replace(
        frame,
        path=frame.name(local),
        members=members,
        like=like,
        outer=frame,
        position=count(),
    )
    return Here(inner, here.inside().scope)


def tensors_first(
    state: State, stage: s.Stage, here: Here, first: bool
) -> tuple[s.Stage, list[Tensor]]:
    """The tensors that a call of a net begins with, `siamese(left, right)`, and what remains."""
    given: list[Tensor] = []
    arguments = stage.arguments or ()
    for argument in arguments:
        tensor = tensor_given(state, argument, here.scope)
        if tensor is None:
            break
        given.append(tensor)
    if given and not first:
        names = ", ".join(argument.span.text for argument in arguments[: len(given)])
        raise Mistake(
            "E203",
            "a net called on tensors begins a chain",
            stage.span,
            label=f"what flows here is not among {names}",
        )
    return (replace(stage, arguments=arguments[len(given) :]) if given else stage), given


def check_depth(state: State, stage: s.Stage, block: Closure, here: Here) -> None:
    """Raise E210 when a net reaches itself or a block does without an end, E209 beyond reason."""
    names = [step.block for step in here.frame.call_stack]
    is_net = block.definition.kind == "net"
    again = block.definition is state.net.definition or block.name in names
    if again and is_net:
        raise reaches_itself(stage, block, here)
    if again and len(names) >= MOST_CALLS:
        raise reaches_itself(stage, block, here, f" more than {MOST_CALLS} calls deep")
    if len(names) >= MOST_CALLS:
        raise Mistake("E209", f"blocks are nested more than {MOST_CALLS} deep", stage.span)


def check_cycle(
    stage: s.Stage, block: Closure, here: Here, bound: Mapping[str, Any], flow: Tensor | None
) -> None:
    """Raise E210 when a block reaches itself with the same arguments on the same shape."""
    shape, given = None if flow is None else flow.shape, shapes_of(bound)
    for call in here.frame.calls():
        entered = None if call.entered is None else call.entered.shape
        same = call.definition is block.definition and entered == shape
        if same and shapes_of(call.given) == given:
            raise reaches_itself(stage, block, here)


def shapes_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with the shapes of tensors in their places."""
    return {name: v.shape if isinstance(v, Tensor) else v for name, v in values.items()}


def reaches_itself(stage: s.Stage, block: Closure, here: Here, how: str = "") -> Mistake:
    """The E210 of a call that would lead to itself again and again."""
    names = [step.block for step in here.frame.call_stack]
    start = names.index(block.name) if block.name in names else 0
    around = [] if block.name in names else [block.name]
    cycle = " -> ".join(dict.fromkeys([*around, *names[start:]])) + f" -> {block.name}"
    help = None
    if block.definition.kind == "block":
        help = "a block may call itself where its arguments shrink: if n > 1 { … }"
    return Mistake(
        "E210",
        f"{block.definition.kind} `{block.name}` reaches itself{how}",
        stage.span,
        label=cycle,
        help=help,
    )


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
    state: State, stage: s.Stage, block: Closure, inside: Here, flow: Flow, *, broke: bool
) -> Tensor | Results:
    """What a call gives: its outputs, or what flows out of a block that names none.

    Some of it may be missing when something `broke` inside.
    """
    frame, broke = inside.frame, broke or state.damaged
    is_net = block.definition.kind == "net"
    if (is_net or flow is None) and not frame.outputs:
        if broke:
            raise Silenced
        if is_net:
            raise Mistake("E501", f"net {block.name} has no output", stage.span)
        raise nothing_flows(stage.span)
    if frame.like is not None and stage.like is not None:
        check_all_shared(state, stage.like, frame.members, frame.like)
    if not frame.outputs:
        assert flow is not None
        return flow
    if len(frame.outputs) == 1 and not broke:
        return next(iter(frame.outputs.values()))
    return Results(dict(frame.outputs), block.name, whole=not broke)


def bind_inputs(
    state: State, stage: s.Stage, definition: s.Definition, inside: Here, tensors: list[Tensor]
) -> None:
    """Bind a called net's inputs to tensors; its symbols become the actual sizes."""
    inputs = [st for st in definition.body.statements if isinstance(st, s.InputDeclaration)]
    if len(inputs) != len(tensors):
        if any(isinstance(st, s.Broken) for st in definition.body.statements):
            raise Silenced
        names, call = ", ".join(st.name.id for st in inputs), definition.name.id
        raise Mistake(
            "E504",
            f"net {call} has {len(inputs)} input{'s'[: len(inputs) != 1]}",
            stage.span,
            label=f"{len(tensors)} tensor{'s are' if len(tensors) != 1 else ' is'} given",
            help=f"{call}({names})" if inputs else None,
        )
    for declared, tensor in zip(inputs, tensors, strict=True):
        bind_input(state, stage, definition, inside, declared, tensor)


def bind_input(
    state: State,
    stage: s.Stage,
    definition: s.Definition,
    inside: Here,
    declared: s.InputDeclaration,
    flow: Tensor,
) -> None:
    """Bind one input of a called net to a tensor; raises E301 where the shape is another."""
    if flow.node is None:
        raise Silenced
    scope, sizes = inside.scope, declared.shape.sizes
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
        takes, has = declared.shape.span.text, f"but {show_shape(flow.shape)} flows here"
        note = f"made by {describe(state.graph[flow.node])}"
        raise not_taken(definition.name.id, takes, stage.span, has, note)
    if is_whole(state.graph[flow.node]) != (declared.dtype.id == "i64"):
        has = "whole numbers" if is_whole(state.graph[flow.node]) else "others"
        raise Mistake(
            "E309",
            f"net {definition.name.id} takes {declared.name.id}: {declared.dtype.id}",
            stage.span,
            label=f"but {has} flow here",
        )
    scope.tensors[declared.name.id] = flow
