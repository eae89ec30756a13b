"""The recursion of elaboration: statements, chains, stages, joins and block calls."""

from __future__ import annotations

from compiler.bind import bind_op
from compiler.elaborate.assertions import check_assert, check_shape
from compiler.elaborate.callees import called, tensor_argument
from compiler.elaborate.calls import enter_block, result_of
from compiler.elaborate.interface import check_new_tensor, misplaced_input
from compiler.elaborate.layers import add_layer
from compiler.elaborate.loops import turns
from compiler.elaborate.names import label_text, outermost, remember
from compiler.elaborate.outputs import check_new_output, check_output_name, declare_output
from compiler.elaborate.state import Here, Made, State
from compiler.ops.base import Op, is_join
from compiler.symbols.modules import Closure
from compiler.values import POISON, Mistake, Scope, Silenced, Tensor
from grammar import syntax as s
from grammar.source import Span


def run_body(state: State, body: s.Body, here: Here, flow: Tensor | None) -> Tensor | None:
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


def hold_shape(state: State, shape: s.ShapePattern, here: Here, flow: Tensor | None) -> Tensor:
    """What a loop or condition makes flow, held against the shape asserted behind it."""
    with state.reporting(here):
        if flow is None:
            raise nothing_flows(shape.span)
        return check_shape(state, flow, shape, here)
    return POISON


def pass_broken(state: State, statement: s.Broken, here: Here) -> None:
    """A statement whose mistake has been said: any of its names may be one that it defined."""
    if statement.keyword != "expect":
        state.damaged = True
        outermost(here.scope).lost |= statement.names


def run_aside(state: State, statement: s.Statement, here: Here, flow: Tensor | None) -> None:
    """A statement after which the flow is where it was."""
    scope = here.scope
    match statement:
        case s.Let():
            run_let(state, statement, scope)
        case s.Bind():
            check_new_tensor(statement.name, scope)
            scope.tensors[statement.name.id] = run_chain(state, statement.chain, here, flow)
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
    name = statement.name
    if name.id in scope.values:
        raise Mistake("E204", f"`{name.id}` is already defined here", name.span)
    try:
        scope.values[name.id] = state.evaluate(statement.value, scope)
    except (Mistake, Silenced):
        scope.lost.add(name.id)
        raise


def run_output(
    state: State, statement: s.OutputDeclaration, here: Here, flow: Tensor | None
) -> None:
    """`output probs = softmax`, `output features : [64, 56, 56]`"""
    check_new_output(statement, here)
    if statement.chain is not None:
        flow = run_chain(state, statement.chain, here, flow)
    if flow is None:
        raise nothing_flows(statement.span)
    check_output_name(state, statement, here, flow)
    if statement.shape is not None:
        flow = check_shape(state, flow, statement.shape, here)
    declare_output(state, statement, here, flow)


def run_chain(state: State, chain: s.Chain, here: Here, flow: Tensor | None) -> Tensor:
    """`a -> b -> c`: what the last stage makes, `POISON` after a mistake."""
    result = POISON
    for index, stage in enumerate(chain.stages):
        result = POISON
        with state.reporting(here):
            result = run_stage(state, stage, here, flow, first=index == 0)
        if stage.shape is not None:
            asserted, result = result, POISON
            with state.reporting(here):
                result = check_shape(state, asserted, stage.shape, here)
        if stage.label is not None:
            with state.reporting(here):
                label = label_text(state, stage.label, here)
                if label:
                    remember(label, result, here.scope)
        state.made.append(Made(stage, result, here.frame.call_stack, flow))
        flow = result
    return result


def run_stage(
    state: State, stage: s.Stage, here: Here, flow: Tensor | None, *, first: bool
) -> Tensor:
    """One stage: a tensor's name, a group, a join, an op or a block."""
    state.step(stage.span)
    if stage.callee is None:
        assert stage.body is not None
        result = run_body(state, stage.body, here.inside(), flow)
        if result is None:
            raise nothing_flows(stage.span)
        return result
    match called(stage, stage.callee, here, first):
        case Tensor() as tensor:
            return tensor
        case Closure() as block:
            return call_block(state, stage, block, here, flow)
        case op_type:
            if op_type.most_inputs == 0 and not first:
                raise takes_nothing(stage, op_type)
            return call_op(state, stage, op_type, here, flow)


def call_op(
    state: State, stage: s.Stage, op_type: type[Op], here: Here, flow: Tensor | None
) -> Tensor:
    """A layer: its inputs, its arguments, its node."""
    op, named, places = bind_op(stage, op_type, state.evaluate, here.scope, tensor_argument)
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
    return add_layer(state, stage, op, tensors, places, here)


def inputs_of(
    state: State,
    stage: s.Stage,
    op_type: type[Op],
    named: list[Tensor],
    here: Here,
    flow: Tensor | None,
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
        return run_branches(state, stage.body, here.inside(), flow)
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
    if flow is None:
        raise nothing_flows(stage.span)
    return [flow]


def run_branches(state: State, body: s.Body, here: Here, flow: Tensor | None) -> list[Tensor]:
    """Each chain or group in the braces is a branch fed by what flows."""
    found: list[Tensor] = []
    for statement in body.statements:
        match statement:
            case s.Flow():
                found.append(run_chain(state, statement.chain, here, flow))
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
    state: State, stage: s.Stage, block: Closure, here: Here, flow: Tensor | None
) -> Tensor:
    """A block (or a net with one input and one output) in place of a layer."""
    if stage.body is not None:
        raise Mistake("E202", f"block `{block.name}` takes no braces", stage.body.span)
    if flow is None:
        raise nothing_flows(stage.span)
    inside = enter_block(state, stage, block, here, flow)
    before = len(state.diagnostics)
    result = run_body(state, block.definition.body, inside, flow)
    result = result_of(state, stage, block, inside, result)
    if len(state.diagnostics) > before and result.node is None:
        raise Silenced
    return result


def takes_nothing(stage: s.Stage, op: type[Op]) -> Mistake:
    """The mistake of a tensor that comes from no input behind another stage."""
    return Mistake(
        "E202",
        f"`{op.name}` takes nothing: a chain begins with it",
        stage.span,
        help=f"join it with what flows: mul {{ identity; {stage.span.text} }}",
    )


def nothing_flows(span: Span) -> Mistake:
    """The mistake of a stage that is fed by nothing."""
    return Mistake(
        "E504",
        "nothing flows here yet",
        span,
        help="with several inputs a chain begins with a tensor's name: left -> conv(…)",
    )
