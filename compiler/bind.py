"""Arguments of a call matched with parameters: positions, keywords, defaults, did-you-mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from compiler.evaluate import Evaluator
from compiler.ops.arguments import ArgumentError, show
from compiler.ops.base import Op, is_required, kind_of, parameters
from compiler.pictures import Picture
from compiler.values import POISON, Mistake, Scope, Silenced, Tensor, misspelt
from grammar import syntax as s
from grammar.source import Span

FindTensor = Callable[[Any, Scope], Tensor | None]


def signature(op: type[Any], name: str) -> str:
    """How an op is written, with its defaults: `maxpool(kernel, stride=kernel, pad=0)`."""
    written = []
    for parameter in fields(op):
        default = parameter.metadata["default_text"]
        if is_required(parameter):
            written.append(parameter.name)
        else:
            written.append(f"{parameter.name}={default or show(parameter.default)}")
    return f"{name}({', '.join(written)})" if written else name


def match(
    arguments: tuple[s.Argument, ...], names: list[str], called: str, usage: str
) -> dict[str, s.Argument]:
    """Which argument goes to which parameter; raises E202."""
    found: dict[str, s.Argument] = {}
    position = 0
    for argument in arguments:
        if argument.keyword is None:
            if found and any(a.keyword for a in found.values()):
                raise Mistake("E202", "positions come before keywords", argument.span)
            if position >= len(names):
                raise Mistake(
                    "E202",
                    f"`{called}` takes {len(names) or 'no'} "
                    f"argument{'s' if len(names) != 1 else ''}",
                    argument.span,
                    help=f"it is {usage}",
                )
            name = names[position]
            position += 1
        else:
            name = argument.keyword
            if name not in names:
                message = f"`{called}` has no parameter `{name}`"
                notes = [f"it is {usage}"]
                raise misspelt("E202", message, argument.span, name, names, notes=notes)
        if name in found:
            raise Mistake("E202", f"`{name}` is given twice", argument.span)
        found[name] = argument
    return found


def convert(
    made: type[Any], given: dict[str, s.Argument], called: str, evaluate: Evaluator, scope: Scope
) -> dict[str, Any]:
    """The values of the given arguments, each checked against its parameter's kind."""
    values: dict[str, Any] = {}
    kinds = {parameter.name: kind_of(parameter) for parameter in fields(made)}
    for name, argument in given.items():
        value = evaluate(argument.value, scope)
        if value is POISON:
            raise Silenced
        try:
            values[name] = kinds[name](value)
        except ArgumentError as error:
            raise Mistake("E203", f"{name} of {called} {error}", argument.value.span) from None
    return values


def bind_op(
    stage: s.Stage, op: type[Op], evaluate: Evaluator, scope: Scope, find: FindTensor
) -> tuple[Op, list[Tensor], dict[str, Span]]:
    """The op of a stage, the tensors it names, and where each argument stands."""
    arguments = stage.arguments or ()
    tensors: list[Tensor] = []
    if op.most_inputs != 1 and stage.body is None:
        plain = [a for a in arguments if a.keyword is None]
        for argument in plain:
            tensor = find(evaluate(argument.value, scope), scope)
            if tensor is None:
                raise Mistake(
                    "E203",
                    f"`{op.name}` joins tensors by their names",
                    argument.value.span,
                    help=f"for branches write {op.name} {{ … }}; parameters take their keyword",
                )
            tensors.append(tensor)
        arguments = tuple(a for a in arguments if a.keyword is not None)
    elif op.most_inputs == 1 and arguments and isinstance(arguments[0].value, s.Name):
        name = arguments[0].value.id
        if not scope.has_value(name) and scope.tensor(name) is not None:
            raise Mistake(
                "E203",
                f"`{op.name}` takes what flows, not an argument",
                arguments[0].span,
                help=f"{name} -> {op.name}",
            )
    usage = signature(op, op.name)
    given = match(arguments, [p.name for p in parameters(op)], op.name, usage)
    for parameter in parameters(op):
        if is_required(parameter) and parameter.name not in given:
            raise Mistake(
                "E202",
                f"`{op.name}` needs its `{parameter.name}`",
                stage.span,
                help=f"it is {usage}",
            )
    values = convert(op, given, op.name, evaluate, scope)
    places = {name: argument.value.span for name, argument in given.items()}
    return op(**values), tensors, places


def bind_block(
    stage: s.Stage, definition: s.Definition, evaluate: Evaluator, scope: Scope, inner: Scope
) -> dict[str, Any]:
    """The values of a block's parameters: given in the caller's scope, else the defaults."""
    called = definition.name.id
    names = [parameter.name.id for parameter in definition.parameters]
    usage = called + "(" + ", ".join(p.span.text for p in definition.parameters) + ")"
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
                "E202", f"`{called}` needs its `{name}`", stage.span, help=f"it is {usage}"
            )
    return values


def bind_picture(call: s.CallExpression, evaluate: Evaluator, scope: Scope) -> Picture:
    """`picture(resize=256, crop=224)` after an input's `from`."""
    if not isinstance(call.function, s.Name) or call.function.id != "picture":
        raise Mistake("E202", "an input comes from `picture(…)`", call.span)
    names = [parameter.name for parameter in fields(Picture)]
    given = match(call.arguments, names, "picture", signature(Picture, "picture"))
    return Picture(**convert(Picture, given, "picture", evaluate, scope))
