"""The recursion of elaboration: statements, chains, stages, joins and block calls."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TypeGuard

from compiler.bind import bind_op
from compiler.elaborate.assertions import check_assert, check_shape
from compiler.elaborate.callees import (
    called,
    nothing_flows,
    single,
    source_of,
    tensor_argument,
    tensor_given,
)
from compiler.elaborate.calls import enter_block, enter_seq, result_of
from compiler.elaborate.interface import (
    check_new_output,
    check_new_tensor,
    check_output_name,
    declare_output,
    misplaced_input,
)
from compiler.elaborate.layers import add_layer, assumed
from compiler.elaborate.likely import layer_offered, leaves_shape_alone, with_offered_keywords
from compiler.elaborate.loops import turns
from compiler.elaborate.names import check_all_shared, label_text, remember
from compiler.elaborate.state import Here, Made, State
from compiler.ops.base import Op, Shape, ShapeError, is_join
from compiler.ops.shapes import infer
from compiler.ops.slicing import Split
from compiler.symbols.modules import Closure
from compiler.values import (
    POISON,
    Bound,
    Flow,
    FunctionValue,
    Mistake,
    Results,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    taken_apart,
)
from grammar import syntax as s
from grammar.source import Span


def run_body(state: State, body: s.Body, here: Here, flow: Flow) -> Flow:
    """Run the statements in order; returns what flows out."""
    for statement in body.statements:
        match statement:
            case s.Flow():
                flow = run_chain(state, statement.chain, here, flow)
            case s.Broken():
                pass_broken(state, statement, here)
                flow = POISON if statement.flows else flow
            case s.For() | s.Repeat() | s.If():
                before, flow = flow, POISON
                with state.reporting(here):
                    for inner, place in turns(state, statement, here):
                        before = run_body(state, inner, place, before)
                    flow = before
                if statement.shape is not None:
                    flow = hold_shape(state, statement.shape, here, flow)
            case _:
                with state.reporting(here):
                    run_aside(state, statement, here, flow)
    return flow


def hold_shape(state: State, shape: s.ShapePattern, here: Here, flow: Flow) -> Tensor:
    """What a loop or condition makes flow, held against the shape asserted behind it."""
    with state.reporting(here):
        return check_shape(state, single(flow, shape.span), shape, here)
    return POISON


def pass_broken(state: State, statement: s.Broken, here: Here) -> None:
    """A statement whose mistake has been said: any of its names may be one that it defined."""
    if statement.keyword != "expect":
        state.damaged = True
        here.scope.body().lost |= statement.names


def run_aside(state: State, statement: s.Statement, here: Here, flow: Flow) -> None:
    """A statement after which the flow is where it was."""
    scope = here.scope
    match statement:
        case s.Let():
            run_let(state, statement, scope)
        case s.Function():
            check_new_value(statement.name, scope)
            scope.values[statement.name.id] = FunctionValue(statement, scope)
        case s.Bind():
            for name in statement.names:
                if not begins_at(statement.chain, name.id):
                    check_new_tensor(name, scope)
            bind_results(statement, run_chain(state, statement.chain, here, flow), scope)
        case s.Assert():
            check_assert(state, statement, scope)
        case s.Expect():
            if not here.frame.inner:
                state.contracts.append(statement)
        case s.OutputDeclaration():
            run_output(state, statement, here, flow)
        case s.InputDeclaration():
            mistake = misplaced_input(statement, here)
            if mistake is not None:
                raise mistake


def run_let(state: State, statement: s.Let, scope: Scope) -> None:
    """`let inner = in.c // 2`; after a mistake in the value its name is no second mistake."""
    names = list(s.names_in(statement.names))
    for name in names:
        check_new_value(name, scope)
    try:
        value = state.evaluate(statement.value, scope)
        made = taken_apart(statement.names, value, statement.value.span, "let")
        scope.values |= made
        if scope.loop is not None:
            scope.loop = replace(scope.loop, lets=(*scope.loop.lets, *made.items()))
    except (Mistake, Silenced):
        scope.lost.update(name.id for name in names)
        raise


def begins_at(chain: s.Chain, name: str) -> bool:
    """Whether a chain begins at a tensor's name: in `x = relu(x)` the name moves on with it."""
    first = chain.stages[0]
    given = [argument.value for argument in first.arguments or ()]
    heads = [first.callee] if first.arguments is None and first.body is None else given
    return any(isinstance(head, s.Name) and head.id == name for head in heads)


def check_new_value(name: s.Name, scope: Scope) -> None:
    """Raise E204 when a value of this scope has the name."""
    if name.id in scope.values:
        raise Mistake("E204", f"`{name.id}` is already defined here", name.span)


def bind_results(statement: s.Bind, made: Flow, scope: Scope) -> None:
    """`side = …` names what a chain makes, `low, high = …` each of several results."""
    names = [name.id for name in statement.names]
    if isinstance(made, Results) and len(names) == 1:
        scope.values[names[0]] = made
        return
    tensors = [made] * len(names) if made is POISON or len(names) == 1 else []
    if isinstance(made, Results):
        tensors = list(made.tensors.values())
    for name, tensor in zip(names, tensors or [POISON] * len(names), strict=False):
        scope.tensors[name] = single(tensor, statement.span)
    if isinstance(made, Results) and not made.whole:
        scope.lost.update(names)
        raise Silenced
    if len(tensors) != len(names):
        gives = f"it gives {', '.join(made.tensors)}" if isinstance(made, Results) else ""
        raise Mistake(
            "E505",
            f"{len(names)} names stand for {len(tensors) or 1} tensor{'s'[: len(tensors) > 1]}",
            Span(
                statement.span.source, statement.names[0].span.start, statement.names[-1].span.end
            ),
            label=gives or "the chain gives one",
        )


def run_output(state: State, statement: s.OutputDeclaration, here: Here, flow: Flow) -> None:
    """`output probs = softmax`, `output features : [64, 56, 56]`"""
    name = check_new_output(state, statement, here)
    if statement.chain is not None:
        flow = run_chain(state, statement.chain, here, flow)
    tensor = single(flow, statement.span)
    check_output_name(state, name, statement, here, tensor)
    if statement.shape is not None:
        tensor = check_shape(state, tensor, statement.shape, here)
    declare_output(state, name, statement, here, tensor)


def run_chain(state: State, chain: s.Chain, here: Here, flow: Flow) -> Tensor | Results:
    """`a -> b -> c`: what the last stage makes, `POISON` after a mistake."""
    result: Tensor | Results = POISON
    for index, stage in enumerate(chain.stages):
        result = POISON
        with state.reporting(here):
            result = run_stage(state, stage, here, flow, first=index == 0)
        if stage.shape is not None:
            asserted, result = result, POISON
            with state.reporting(here):
                asserted = single(asserted, stage.span)
                result = check_shape(state, asserted, stage.shape, here)
        if stage.label is not None:
            with state.reporting(here):
                label = label_text(state, stage.label, here)
                if label:
                    remember(label, result, here.scope)
        if isinstance(result, Tensor):
            fed = flow if isinstance(flow, Tensor) else None
            state.made.append(Made(stage, result, here.frame.call_stack, fed))
        flow = result
    return result


def run_stage(
    state: State, stage: s.Stage, here: Here, flow: Flow, *, first: bool
) -> Tensor | Results:
    """One stage: a tensor's name, a group, a join, an op or a block."""
    state.step(stage.span)
    if stage.source is not None:
        return source_of(state, stage, here, first)
    if stage.callee is None:
        assert stage.body is not None
        return something(run_body(state, stage.body, here.inside(), flow), stage)
    if stage.callee.id == "seq" and stage.body is not None:
        return run_seq(state, stage, here, flow)
    try:
        target = called(stage, stage.callee, here, first)
    except Mistake as mistake:
        meant = layer_offered(mistake)
        if meant is None or not leaves_shape_alone(meant, stage) or not is_known(flow):
            raise
        return assumed(state, stage, flow.shape, mistake, here)
    match target:
        case Tensor() | Results() as tensor:
            return tensor
        case Bound() as bound:
            full = replace(stage, arguments=bound.with_more(stage.arguments or ()))
            state.rewritten[stage.span] = full
            return call(state, full, bound.target, here, flow, first=first)
        case _:
            return call(state, stage, target, here, flow, first=first)


def call(
    state: State,
    stage: s.Stage,
    target: Closure | type[Op],
    here: Here,
    flow: Flow,
    *,
    first: bool,
) -> Tensor | Results:
    """A block, net or op in a chain."""
    if isinstance(target, Closure):
        return call_block(state, stage, target, here, flow, first=first)
    return call_op(state, stage, target, here, flow, first=first)


def something(flow: Flow, stage: s.Stage) -> Tensor | Results:
    """What flows out of braces; raises E504 when nothing does."""
    if flow is None:
        raise nothing_flows(stage.span)
    return flow


def run_seq(state: State, stage: s.Stage, here: Here, flow: Flow) -> Tensor | Results:
    """`seq { … } as features`: its layers are numbered 0, 1, 2, … as in `nn.Sequential`."""
    assert stage.body is not None
    if stage.arguments is not None:
        raise Mistake("E202", "`seq` takes no arguments", stage.span, help="seq { … } as name")
    inside = enter_seq(state, stage, here)
    result = run_body(state, stage.body, inside, flow)
    if inside.frame.like is not None and stage.like is not None:
        check_all_shared(state, stage.like, inside.frame.members, inside.frame.like)
    return something(result, stage)


def call_op(
    state: State, stage: s.Stage, op_type: type[Op], here: Here, flow: Flow, *, first: bool
) -> Tensor | Results:
    """A layer: its inputs, its arguments, its node."""
    if op_type.most_inputs == 0 and not first:
        raise takes_nothing(stage, op_type)
    if op_type.most_inputs == 1 and stage.arguments:
        fed = tensor_given(state, stage.arguments[0], here.scope)
        if fed is not None:
            stage, flow = call_as_chain(state, stage, op_type.name, first), fed
    try:
        op, named, places = bind_op(
            stage, op_type, state.evaluate.alone, here.scope, tensor_argument
        )
    except Mistake as mistake:
        return in_place_of_call(state, stage, op_type, here, flow, mistake)
    tensors = inputs_of(state, stage, op_type, named, here, flow)
    if any(tensor.node is None for tensor in tensors):
        raise Silenced
    least, most = op_type.least_inputs, op_type.most_inputs
    if len(tensors) < least or (most is not None and len(tensors) > most):
        raise Mistake(
            "E202",
            f"`{op_type.name}` joins {least} tensors",
            stage.span,
            label=f"here are {len(tensors)}",
        )
    if isinstance(op, Split) and op.part is None:
        return add_parts(state, stage, op, tensors, places, here)
    return add_layer(state, stage, op, tensors, places, here)


def in_place_of_call(
    state: State, stage: s.Stage, op: type[Op], here: Here, flow: Flow, mistake: Mistake
) -> Tensor:
    """A tensor that stands for what a call with wrong arguments was to make of one input.

    Raises the mistake where that is anybody's guess.
    """
    shape: Shape | None = None
    if op.most_inputs == 1 and is_known(flow) and not isinstance(mistake, TooMuch):
        meant = with_offered_keywords(stage, mistake)
        if leaves_shape_alone(op, stage):
            shape = flow.shape
        elif meant is not None:
            with suppress(Mistake, Silenced, ShapeError):
                layer, _, _ = bind_op(meant, op, state.evaluate.alone, here.scope, tensor_argument)
                shape = infer(layer, (flow.shape,), state.facts)
    if shape is None:
        raise mistake
    return assumed(state, stage, shape, mistake, here)


def is_known(flow: Flow) -> TypeGuard[Tensor]:
    """Whether what flows is one tensor, of a shape that no mistake has lost."""
    return isinstance(flow, Tensor) and flow is not POISON


def add_parts(
    state: State,
    stage: s.Stage,
    op: Split,
    tensors: list[Tensor],
    places: dict[str, Span],
    here: Here,
) -> Results:
    """Each part of a split as a layer of its own, in a level that the split's label is."""
    inside = enter_seq(state, stage, here, op.name)
    bare = replace(stage, label=None, like=None)
    parts = {
        f"part{index}": add_layer(state, bare, replace(op, part=index), tensors, places, inside)
        for index in range(op.count)
    }
    return Results(parts, op.name)


def inputs_of(
    state: State,
    stage: s.Stage,
    op_type: type[Op],
    named: list[Tensor],
    here: Here,
    flow: Flow,
) -> list[Tensor]:
    """What a layer takes: branches, tensors by name, or what flows."""
    joins = is_join(op_type)
    if stage.body is not None and not joins:
        raise Mistake(
            "E202",
            f"`{op_type.name}` takes no braces",
            stage.body.span,
            help="only joins do: concat, add, mul, sub, max, mean",
        )
    if stage.body is not None:
        return run_branches(state, stage.body, here.in_branches(), flow)
    if joins and not named:
        raise Mistake(
            "E202",
            f"`{op_type.name}` joins several tensors",
            stage.span,
            help=f"{op_type.name} {{ … }} with a branch a line, or {op_type.name}(a, b)",
        )
    if joins:
        return named
    if op_type.most_inputs == 0:
        return []
    return [single(flow, stage.span)]


def takes_nothing(stage: s.Stage, op: type[Op]) -> Mistake:
    """The mistake of a tensor that comes from no input behind another stage."""
    return Mistake(
        "E202",
        f"`{op.name}` takes nothing: a chain begins with it",
        stage.span,
        help=f"join it with what flows: mul {{ identity; {stage.span.text} }}",
    )


def call_as_chain(state: State, stage: s.Stage, name: str, first: bool) -> s.Stage:
    """`conv(8, 3x3)` of `conv(x, 8, 3x3)`, which begins a chain at x; raises E203 inside one."""
    given, *others = stage.arguments or ()
    if not first:
        rest = ", ".join(argument.span.text for argument in others)
        call = f"{name}({rest})" if 0 < len(rest) <= 40 else name
        raise Mistake(
            "E203",
            f"`{name}` takes what flows, not an argument",
            given.span,
            help=f"begin there, on a line of its own: {given.span.text} -> {call}",
        )
    stage = replace(stage, arguments=tuple(others))
    state.rewritten[stage.span] = stage
    return stage


def run_branches(state: State, body: s.Body, here: Here, flow: Flow) -> list[Tensor]:
    """Each chain or group in the braces is a branch fed by what flows."""
    found: list[Tensor] = []
    for statement in body.statements:
        match statement:
            case s.Flow():
                branch = POISON
                with state.reporting(here):
                    made = run_chain(state, statement.chain, here, flow)
                    branch = single(made, statement.chain.stages[-1].span)
                found.append(branch)
            case s.Broken():
                pass_broken(state, statement, here)
                found += [POISON] if statement.flows else []
            case s.For() | s.Repeat() | s.If():
                branches = [POISON]
                with state.reporting(here):
                    branches = [
                        tensor
                        for inner, place in turns(state, statement, here)
                        for tensor in run_branches(state, inner, place, flow)
                    ]
                if (shape := statement.shape) is not None:
                    branches = [hold_shape(state, shape, here, branch) for branch in branches]
                found += branches
            case _:
                with state.reporting(here):
                    run_aside(state, statement, here, flow)
    return found


def call_block(
    state: State, stage: s.Stage, block: Closure, here: Here, flow: Flow, *, first: bool
) -> Tensor | Results:
    """A block or net in place of a layer."""
    if stage.body is not None:
        raise Mistake("E202", f"block `{block.name}` takes no braces", stage.body.span)
    if flow is not None:
        flow = single(flow, stage.span)
    inside = enter_block(state, stage, block, here, flow, first=first)
    before = len(state.diagnostics)
    flow = inside.frame.entered
    result = run_body(state, block.definition.body, inside, flow)
    made = result_of(state, stage, block, inside, result, broke=len(state.diagnostics) > before)
    if len(state.diagnostics) > before and made is POISON:
        raise Silenced
    return made
