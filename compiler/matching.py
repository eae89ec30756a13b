"""Which argument of a call goes to which parameter, by position or keyword."""

from __future__ import annotations

from collections.abc import Callable

from compiler.argument_errors import too_many, unknown_keyword
from compiler.values import Mistake, raise_all
from grammar import syntax as s


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
