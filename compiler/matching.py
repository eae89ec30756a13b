"""Which argument of a call goes to which parameter, by position or keyword; what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compiler.ops.arguments import ArgumentError, Kind, show
from compiler.symbols.aliases import WITHOUT, parameter_meant
from compiler.values import Mistake, raise_all, unknown
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy, nearest
from grammar.source import Span


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
    raise_all(mistakes)
    return found


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
    called: str, name: str, argument: s.Argument, value: Any, kind: Kind, error: ArgumentError
) -> Mistake:
    """The E203 of a value that a parameter does not take, with what was perhaps meant."""
    span, help, fixes = argument.value.span, None, list[Fix]()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str):
        near = nearest(value.lower(), kind.choices)
        help = f'did you mean "{near}"?' if near else None
        fixes = [Fix(f'replace with "{near}"', span, f'"{near}"')] if near else []
    elif isinstance(value, float) and "/" in span.text and value >= 1:
        help = "`//` divides whole numbers, rounding down"
    elif name == "bias" and argument.keyword is None and number:
        help = f"the inputs are not counted, what flows in tells: {called}({show(value)})"
    elif name == "eps" and argument.keyword is None and number:
        help = f"the channels are not given, what flows in tells: {called}"
    return Mistake("E203", f"{name} of {called} {error}", span, help=help, fixes=fixes)


def with_quotes(mistake: Mistake, value: s.Expression, kind: Kind) -> Mistake:
    """The mistake of an unknown name: a word that the parameter takes was meant as a string."""
    if mistake.code == "E201" and isinstance(value, s.Name) and value.id in kind.choices:
        quoted = f'"{value.id}"'
        fix = Fix(f"replace with {quoted}", value.span, quoted)
        mistake.say(remedy=Remedy(f"words stand in quotes: {quoted}", (fix,)))
    return mistake
