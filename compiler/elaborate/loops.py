"""The bodies that a loop or a condition unrolls to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.elaborate.state import MOST_NODES, Here, State
from compiler.ops.arguments import show
from compiler.values import Mistake, taken_apart
from grammar import syntax as s
from grammar.diagnostics import Fix, LoopTurn, Remedy

Control = s.For | s.Repeat | s.If


def turns(state: State, statement: Control, here: Here) -> Iterator[tuple[s.Body, Here]]:
    """Each body in turn with the place it runs at; raises `Mistake` before the first."""
    match statement:
        case s.If():
            holds = state.evaluate.truth(statement.condition, here.scope)
            chosen = statement.then if holds else statement.otherwise
            return iter([] if chosen is None else [(chosen, here)])
        case s.Repeat():
            count = state.evaluate.whole(statement.count, here.scope, "a number of repetitions")
            check_count(count, statement.count)
            return (
                (statement.body, turn(state, statement, here, i, {}, f"turn {i + 1} of {count}"))
                for i in range(count)
            )
        case s.For():
            values = state.evaluate.items(statement.values, here.scope)
            if not isinstance(values, list | tuple):
                place = statement.values.span
                counted = Fix(f"write range({show(values)})", place, f"range({place.text})")
                is_number = isinstance(values, int) and not isinstance(values, bool)
                raise Mistake(
                    "E205",
                    "`for` runs over a list",
                    place,
                    label=show(values),
                    help=Remedy(counted.title, (counted,)) if is_number else None,
                )
            check_count(len(values), statement.values)
            place = statement.values.span
            bound = [taken_apart(statement.names, value, place, "for") for value in values]
            return (
                (
                    statement.body,
                    turn(state, statement, here, i, names, *map(rendered, names.items())),
                )
                for i, names in enumerate(bound)
            )


def check_count(count: int, place: s.Expression) -> None:
    """Raise E209 for more turns than any net has layers."""
    if count > MOST_NODES:
        raise Mistake(
            "E209", f"a loop runs at most {MOST_NODES:_} times", place.span, label=f"{count:_}"
        )
    if count < 0:
        raise Mistake("E205", "a number of repetitions is at least 0", place.span, label=str(count))


def rendered(named: tuple[str, Any]) -> str:
    """A name of a turn for a message: `depth = 6`."""
    name, value = named
    return f"{name} = {show(value)}"


def turn(
    state: State, statement: Control, here: Here, place: int, names: dict[str, Any], *messages: str
) -> Here:
    """The place of one turn: its own braces, its names, and what a message says of it."""
    state.step(statement.span)
    inner = here.inside()
    inner.scope.values.update(names)
    inner.scope.turn = messages
    inner.scope.loop = LoopTurn(statement.span, place, tuple(names.items()))
    return inner
