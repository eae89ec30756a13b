"""What the name at the head of a stage, or among its arguments, stands for."""

from __future__ import annotations

from typing import Any, TypeAlias

from compiler.elaborate.state import Here, State
from compiler.ops import OPS
from compiler.ops.arguments import show
from compiler.ops.base import Op
from compiler.symbols.aliases import layer_meant
from compiler.symbols.modules import Closure
from compiler.values import (
    Bound,
    Flow,
    Mistake,
    Results,
    Scope,
    Silenced,
    Tensor,
    kind_word,
    no_label,
    unknown,
)
from grammar import syntax as s
from grammar.source import Span

Called: TypeAlias = "Tensor | Results | Bound | Closure | type[Op]"


def called(stage: s.Stage, callee: s.Name, here: Here, first: bool) -> Called:
    """The tensor, block or op that a stage names; `first` in its chain it may be a tensor.

    Raises E201, E202 and E504.
    """
    name, scope = callee.id, here.scope
    bare = stage.arguments is None and stage.body is None
    target = scope.at_head(name, bare=bare, first=first)
    if bare and name == "in":
        target = here.frame.entered
    if bare and isinstance(target, Tensor | Results):
        return named_tensor(stage, target, name, first)
    if isinstance(target, Bound):
        return target
    if isinstance(target, Closure) and target.definition.kind != "train":
        return target
    if isinstance(target, type) or name in OPS:
        return target if isinstance(target, type) else OPS[name]
    if target is None and scope.is_lost(name):
        raise Silenced
    if name == "in":
        raise nothing_flows(callee.span)
    if target is not None:
        raise Mistake(
            "E201",
            f"`{name}` is no layer or block",
            callee.span,
            label=f"`{name}` is a training"
            if isinstance(target, Closure)
            else f"its value is {show(target)}",
            help=f'the tensor of that name is "{{{name}}}"' if isinstance(target, str) else None,
        )
    raise unknown(
        f"unknown layer, block or tensor `{name}`",
        callee.span,
        layer_meant(name, set(OPS) | scope.names()),
    )


def named_tensor(
    stage: s.Stage, tensor: Tensor | Results, name: str, first: bool
) -> Tensor | Results:
    """A tensor's name as a stage: it can only begin a chain."""
    if first:
        return tensor
    raise Mistake(
        "E202",
        "a tensor's name can only begin a chain",
        stage.span,
        help=f"join them: concat(…, {name}), add(…, {name})",
    )


def nothing_flows(span: Span) -> Mistake:
    """The mistake of a stage that is fed by nothing."""
    return Mistake(
        "E504",
        "nothing flows here yet",
        span,
        help="with several inputs a chain begins with a tensor's name: left -> conv(…)",
    )


def single(flow: Flow, span: Span) -> Tensor:
    """What flows, as one tensor; raises E504 for nothing, E505 for several."""
    if flow is None:
        raise nothing_flows(span)
    if isinstance(flow, Results) and flow.only is not None:
        return flow.only
    if isinstance(flow, Results):
        first = next(iter(flow.tensors), "")
        raise Mistake(
            "E505",
            f"`{flow.maker}` gives several tensors, and one is needed here",
            span,
            label=f"it gives {', '.join(flow.tensors)}",
            help=f"name them: {', '.join(flow.tensors)} = {flow.maker}(…); or begin at one: "
            f"{flow.maker}(…) as t, then t.{first} -> …",
        )
    return flow


def source_of(state: State, stage: s.Stage, here: Here, first: bool) -> Tensor | Results:
    """The tensor that `"p{l}"`, `taps[i]` or `t.low` is, at the beginning of a chain.

    Raises E201, E202 and E205.
    """
    source = stage.source
    assert source is not None
    value = state.evaluate(source, here.scope)
    if isinstance(value, str):
        value = labelled(value, source, here.scope)
    if not isinstance(value, Tensor | Results):
        raise Mistake(
            "E205",
            f"a chain begins at a tensor, this is {kind_word(value)}",
            source.span,
            label=show(value),
        )
    return named_tensor(stage, value, source.span.text, first)


def labelled(label: str, place: s.Expression, scope: Scope) -> Tensor | Results:
    """The tensor of a label that a string spells; raises E201."""
    found = scope.tensor(label)
    if found is None and isinstance(value := scope.value(label), Tensor | Results):
        return value
    if found is not None:
        return found
    raise no_label(label, place.span, scope)


def tensor_argument(value: Any, scope: Scope) -> Tensor | None:
    """A tensor argument: a tensor, or a string that is the label of one."""
    if isinstance(value, str):
        found = scope.tensor(value)
        value = scope.value(value) if found is None else found
    value = value.only if isinstance(value, Results) else value
    return value if isinstance(value, Tensor) else None


def tensor_given(state: State, argument: s.Argument, scope: Scope) -> Tensor | None:
    """The tensor that an argument by position is, if it is one: a name, an element or a part."""
    value = argument.value
    if argument.keyword is not None:
        return None
    if isinstance(value, s.Name) and not scope.has_value(value.id):
        return scope.tensor(value.id)
    if not isinstance(value, s.Name | s.Index | s.Attribute):
        return None
    found = state.evaluate.alone(value, scope)
    return found if isinstance(found, Tensor) else None
