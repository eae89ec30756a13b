"""Arguments of a call matched with parameters: positions, keywords, defaults, did-you-mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from functools import partial
from typing import Any

from compiler.evaluate import Evaluator
from compiler.matching import match, with_quotes, wrong_sort
from compiler.ops.arguments import ArgumentError, show
from compiler.ops.base import Op, is_join, is_required, kind_of, parameters
from compiler.pictures import Picture
from compiler.values import (
    POISON,
    Mistake,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    no_label,
    raise_all,
)
from grammar import syntax as s
from grammar.source import Span

FindTensor = Callable[[Any, Scope], Tensor | None]


def signature(op: type[Any], name: str, accepted: Sequence[Field[Any]] | None = None) -> str:
    """How an op is written, with its defaults: `maxpool(kernel, stride=kernel, pad=0)`.

    `accepted` are its parameters in another order than they are declared in.
    """
    written = []
    for parameter in fields(op) if accepted is None else accepted:
        default = parameter.metadata["default_text"]
        if is_required(parameter):
            written.append(parameter.name)
        else:
            written.append(f"{parameter.name}={default or show(parameter.default)}")
    return f"{name}({', '.join(written)})" if written else name


def block_signature(definition: s.Definition) -> str:
    """How a block is written: `unit(c, stride=1)`."""
    return f"{definition.name.id}({', '.join(p.span.text for p in definition.parameters)})"


def convert(
    accepted: tuple[Field[Any], ...],
    given: dict[str, s.Argument],
    called: str,
    evaluate: Evaluator,
    scope: Scope,
) -> dict[str, Any]:
    """The values of the given arguments, each checked against its parameter's kind.

    Raises E203 with every argument that is of the wrong sort.
    """
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    silenced = False
    kinds = {parameter.name: kind_of(parameter) for parameter in accepted}
    for name, argument in given.items():
        kind = kinds[name]
        try:
            value = evaluate(argument.value, scope)
            silenced = silenced or value is POISON
            if value is not POISON:
                values[name] = kind(value)
        except Silenced:
            silenced = True
        except TooMuch:
            raise
        except ArgumentError as error:
            mistakes.append(wrong_sort(called, name, argument, value, kind, error))
        except Mistake as mistake:
            mistakes.append(with_quotes(mistake, argument.value, kind))
    raise_all(mistakes)
    if silenced:
        raise Silenced
    return values


def bind_op(
    stage: s.Stage, op: type[Op], evaluate: Evaluator, scope: Scope, find: FindTensor
) -> tuple[Op, list[Tensor], dict[str, Span]]:
    """The op of a stage, the tensors it names, and where each argument stands."""
    arguments = stage.arguments or ()
    tensors: list[Tensor] = []
    if is_join(op) and stage.body is None:
        plain = [a for a in arguments if a.keyword is None]
        for argument in plain:
            value = evaluate(argument.value, scope)
            for each in value if isinstance(value, list) and value else [value]:
                tensor = find(each, scope)
                if tensor is None:
                    raise no_tensor(op, argument.value, each, scope)
                tensors.append(tensor)
        arguments = tuple(a for a in arguments if a.keyword is not None)
    accepted = parameters(op)
    usage = partial(signature, op, op.name)
    given = match(arguments, [p.name for p in accepted], op.name, usage)
    for parameter in accepted:
        if is_required(parameter) and parameter.name not in given:
            raise Mistake(
                "E202",
                f"`{op.name}` needs its `{parameter.name}`",
                stage.span,
                help=f"it is {usage()}",
            )
    values = convert(accepted, given, op.name, evaluate, scope)
    places = {name: argument.value.span for name, argument in given.items()}
    return op(**values), tensors, places


def no_tensor(op: type[Op], written: s.Expression, value: Any, scope: Scope) -> Exception:
    """What is wrong with an argument of a join that is no tensor."""
    span = written.span
    if not isinstance(value, str):
        listed = isinstance(written, s.ListDisplay | s.TupleDisplay)
        return Mistake(
            "E203",
            f"`{op.name}` joins tensors by their names",
            span,
            label=f"an item is {show(value)}" if listed else "",
            help=f"for branches write {op.name} {{ … }}; parameters take their keyword",
        )
    return no_label(value, span, scope)


def bind_block(
    stage: s.Stage, definition: s.Definition, evaluate: Evaluator, scope: Scope, inner: Scope
) -> dict[str, Any]:
    """The values of a block's parameters: given in the caller's scope, else the defaults."""
    called = definition.name.id
    names = [parameter.name.id for parameter in definition.parameters]
    usage = partial(block_signature, definition)
    given = match(stage.arguments or (), names, called, usage)
    values: dict[str, Any] = {}
    for parameter in definition.parameters:
        name = parameter.name.id
        if name in given:
            values[name] = evaluate(given[name].value, scope)
        elif parameter.default is not None:
            values[name] = evaluate(parameter.default, Scope(inner, dict(values)))
        else:
            raise Mistake(
                "E202", f"`{called}` needs its `{name}`", stage.span, help=f"it is {usage()}"
            )
    return values


def bind_picture(call: s.CallExpression, evaluate: Evaluator, scope: Scope) -> Picture:
    """`picture(resize=256, crop=224)` after an input's `from`."""
    if not isinstance(call.function, s.Name) or call.function.id != "picture":
        raise Mistake("E202", "an input comes from `picture(…)`", call.span)
    accepted = fields(Picture)
    usage = partial(signature, Picture, "picture")
    given = match(call.arguments, [p.name for p in accepted], "picture", usage)
    return Picture(**convert(accepted, given, "picture", evaluate, scope))
