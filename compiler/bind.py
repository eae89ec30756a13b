"""Arguments of a call matched with parameters: positions, keywords, defaults, did-you-mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from functools import partial
from typing import Any, TypeAlias

from compiler.ops.arguments import ArgumentError, Kind, show, uniform
from compiler.ops.base import Op, is_join, is_required, kind_of, parameters
from compiler.ops.convolution import Conv
from compiler.pictures import Picture
from compiler.symbols.aliases import WITHOUT, parameter_meant
from compiler.values import (
    POISON,
    Mistake,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    kind_word,
    no_label,
    together,
    unknown,
)
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy, nearest
from grammar.source import Span

WIDEST_KERNEL = 12  # wider ones by a number are seldom meant, least of all with a stride as well
Evaluate: TypeAlias = Callable[[s.Expression, Scope], Any]
FindTensor: TypeAlias = Callable[[Any, Scope], Tensor | None]


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
    evaluate: Evaluate,
    scope: Scope,
    stage: s.Stage | None = None,
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
            mistakes.append(wrong_sort(called, name, argument, value, kind, error, stage))
        except Mistake as mistake:
            mistakes.append(with_quotes(mistake, argument.value, kind))
    if mistakes:
        raise together(mistakes)
    if silenced:
        raise Silenced
    return values


def bind_op(
    stage: s.Stage, op: type[Op], evaluate: Evaluate, scope: Scope, find: FindTensor
) -> tuple[Op, list[Tensor], dict[str, Span]]:
    """The op of a stage, the tensors it names, and where each argument stands."""
    arguments = stage.arguments or ()
    tensors: list[Tensor] = []
    if is_join(op) and stage.body is None:
        plain = [a for a in arguments if a.keyword is None]
        mistakes: list[Mistake] = []
        for argument in plain:
            value = evaluate(argument.value, scope)
            for each in value if isinstance(value, list) and value else [value]:
                tensor = find(each, scope)
                if tensor is not None:
                    tensors.append(tensor)
                    continue
                error = no_tensor(op, argument.value, each, scope)
                if not isinstance(error, Mistake):
                    raise together(mistakes) if mistakes else error
                mistakes.append(error)
        if mistakes:
            raise together(mistakes)
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
    values = convert(accepted, given, op.name, evaluate, scope, stage)
    places = {name: argument.value.span for name, argument in given.items()}
    return op(**values), tensors, places


def no_tensor(op: type[Op], written: s.Expression, value: Any, scope: Scope) -> Exception:
    """What is wrong with an argument of a join that is no tensor."""
    span = written.span
    if isinstance(written, s.Name) and scope.tensor(written.id) is not None:
        quoted = f'"{written.id}"'
        fix = Fix(f"write {quoted}", span, quoted)
        return Mistake(
            "E203",
            f"`{written.id}` is {kind_word(value)} here before it is a tensor",
            span,
            help=Remedy(f"in quotes it is the tensor: {quoted}", (fix,)),
        )
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
    stage: s.Stage, definition: s.Definition, evaluate: Evaluate, scope: Scope, inner: Scope
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


def bind_picture(call: s.CallExpression, evaluate: Evaluate, scope: Scope) -> Picture:
    """`picture(resize=256, crop=224)` after an input's `from`."""
    if not isinstance(call.function, s.Name) or call.function.id != "picture":
        raise Mistake("E202", "an input comes from `picture(…)`", call.span)
    accepted = fields(Picture)
    usage = partial(signature, Picture, "picture")
    given = match(call.arguments, [p.name for p in accepted], "picture", usage)
    return Picture(**convert(accepted, given, "picture", evaluate, scope))


def match(
    arguments: tuple[s.Argument, ...], names: list[str], called: str, usage: Callable[[], str]
) -> dict[str, s.Argument]:
    """Which argument goes to which parameter; raises E202 with every argument that fits none."""
    found: dict[str, s.Argument] = {}
    mistakes: list[Mistake] = []
    position = 0
    for argument in arguments:
        if argument.keyword is None:
            if any(a.keyword for a in found.values()):
                mistakes.append(Mistake("E202", "positions come before keywords", argument.span))
                continue
            if position >= len(names):
                mistakes.append(too_many(argument, names, called, usage))
                break
            name = names[position]
            position += 1
        else:
            name = argument.keyword
            if name not in names:
                notes = [] if mistakes else [f"it is {usage()}"]
                mistakes.append(unknown_keyword(argument, name, names, found, called, notes))
                continue
        if name in found:
            mistakes.append(Mistake("E202", f"`{name}` is given twice", argument.span))
            continue
        found[name] = argument
    if mistakes:
        raise together(mistakes)
    return found


def names_of(op: Op) -> list[str]:
    """The parameters that positions mean in the call of an op."""
    return [] if is_join(op) else [parameter.name for parameter in fields(op)]


def argument_of(
    stage: s.Stage | s.CallExpression, name: str, names: list[str]
) -> s.Argument | None:
    """The argument of a stage or call that gives the parameter `name`, if it is written out.

    `names` are those that its positions mean.
    """
    for position, argument in enumerate(stage.arguments or ()):
        if (argument.keyword or (names[position : position + 1] or [""])[0]) == name:
            return argument
    return None


def too_many(
    argument: s.Argument, names: list[str], called: str, usage: Callable[[], str]
) -> Mistake:
    """The mistake of an argument behind the last parameter."""
    chain = as_chain(argument.value)
    fed = isinstance(argument.value, s.CallExpression) and not names and len(chain) <= 40
    return Mistake(
        "E202",
        f"`{called}` takes {len(names) or 'no'} argument{'s' if len(names) != 1 else ''}",
        argument.span,
        help=f"a layer is fed by an arrow: {chain} -> {called}" if fed else f"it is {usage()}",
    )


def written(stage: s.Stage, call: str) -> Fix:
    """The edit that calls another op, or with other arguments; label and shape stay."""
    return Fix(f"write {call}", stage.call, call)


def size_meant(value: s.Expression) -> str | None:
    """The size `3x3` that `3*3`, which is the number 9, was perhaps meant to be."""
    if not isinstance(value, s.Binary) or value.operator != "*":
        return None
    numbers = [side.value for side in (value.left, value.right) if isinstance(side, s.Number)]
    if len(numbers) < 2 or max(numbers) > WIDEST_KERNEL:
        return None
    return "x".join(map(str, numbers))


def without_input_channels(
    stage: s.Stage, op: Conv, channels: object, *, failed: bool
) -> Remedy | None:
    """The remedy of `conv(in, out, kernel)`, three positions as elsewhere; None for other calls.

    `channels` are those of the input; a call that `failed` is taken for one sooner.
    """
    first = (stage.arguments or ())[:3]
    kernel, stride = uniform(op.kernel), uniform(op.stride)
    if len(first) < 3 or any(a.keyword or isinstance(a.value, s.SizeLiteral) for a in first):
        return None
    if kernel is None or stride is None:
        return None
    wide = kernel > WIDEST_KERNEL >= stride
    unusual = wide or (kernel % 2 == 0 and stride % 2 == 1 and 1 < stride < kernel)
    if not ((wide and failed) or (op.channels == channels and (unusual or failed))):
        return None
    rest = ", ".join(argument.span.text for argument in (stage.arguments or ())[1:])
    call = f"{op.name}({rest})"
    return Remedy(f"the input's channels are not written: {call}", (written(stage, call),))


def as_chain(value: s.Expression) -> str:
    """Layers called on one another as the chain that they were meant to be.

    `relu(x)` and `conv(8, 3x3)(x)` are `x -> relu` and `x -> conv(8, 3x3)`.
    """
    if isinstance(value, s.CallExpression) and len(value.arguments) == 1:
        inner, layer = value.arguments[0].value, value.function
        if isinstance(layer, s.CallExpression) or isinstance(inner, s.CallExpression | s.Name):
            return f"{as_chain(inner)} -> {layer.span.text}"
    return value.span.text


def unknown_keyword(
    argument: s.Argument,
    name: str,
    names: list[str],
    found: dict[str, s.Argument],
    called: str,
    notes: list[str],
) -> Mistake:
    """The mistake of a keyword that no parameter has."""
    start = argument.span.start
    near = parameter_meant(name, names)
    help = WITHOUT.get(name)
    first = names[0] if names else ""
    if near in found and first in found and found[first].keyword is None:
        near, help = None, f"`{near}` is given already"
        if first in ("channels", "units"):
            help += "; the input's channels are not written, only the output's"
    return unknown(
        f"`{called}` has no parameter `{name}`",
        Span(argument.span.source, start, start + len(name)),
        near,
        code="E202",
        notes=notes,
        help=help,
    )


def wrong_sort(
    called: str,
    name: str,
    argument: s.Argument,
    value: Any,
    kind: Kind,
    error: ArgumentError,
    stage: s.Stage | None,
) -> Mistake:
    """The E203 of a value that a parameter does not take, with what was perhaps meant."""
    span, help, fixes, call = argument.value.span, None, list[Fix](), ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str):
        near = nearest(value.lower(), kind.choices)
        help = f'did you mean "{near}"?' if near else None
        fixes = [Fix(f'replace with "{near}"', span, f'"{near}"')] if near else []
    elif isinstance(value, float) and "/" in span.text and value >= 1:
        help = "`//` divides whole numbers, rounding down"
    elif name == "bias" and argument.keyword is None and number:
        call = f"{called}({show(value)})"
        help = f"the inputs are not counted, what flows in tells: {call}"
    elif name == "eps" and argument.keyword is None and number:
        call = called
        help = f"the channels are not given, what flows in tells: {call}"
    if call and stage is not None:
        fixes = [written(stage, call)]
    return Mistake("E203", f"{name} of {called} {error}", span, help=help, fixes=fixes)


def with_quotes(mistake: Mistake, value: s.Expression, kind: Kind) -> Mistake:
    """The mistake of an unknown name: a word that the parameter takes was meant as a string."""
    if mistake.code == "E201" and isinstance(value, s.Name) and value.id in kind.choices:
        quoted = f'"{value.id}"'
        fix = Fix(f"replace with {quoted}", value.span, quoted)
        mistake.say(remedy=Remedy(f"words stand in quotes: {quoted}", (fix,)))
    return mistake
