"""Results of a block that come one after the other, in a list: `y.append(x)`, `return y`.

Where they are what the last turns of a loop make, what the turns before make is in the list too,
and the end of it is returned: `return y[2:]`. A single result that the last turn makes has a name,
as what the turns before make has: `return x`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from compiler.graph import Node
from compiler.torch.bodies import CallBody
from compiler.torch.calls import CallScope
from compiler.torch.statements import KEPT, Item, mark
from grammar.diagnostics import LoopTurn

FEWEST = 3  # results


def with_results_in_a_list(body: CallBody) -> CallBody | None:
    """The call with a list of its results; None where they are few or come in another order."""
    outputs = body.outputs
    made = [name for item in body.items for name in item.makes]
    if len(outputs) < FEWEST or [name for name in made if name in outputs] != outputs:
        return None
    before = made_in_turns(body.scope, body.items, outputs)
    name = f"{outputs[0]}{KEPT}"
    items = [Item((name,), (), "[]")]
    for item in body.items:
        items.append(item)
        for each in item.makes:
            if each in outputs or each in before:
                items.append(Item((), (each, name), f"{mark(1)}.append({mark(0)})"))
    if before:
        items.append(Item((f"{name}/end",), (name,), f"{mark(0)}[{len(before)}:]"))
        name = f"{name}/end"
    return replace(body, items=items, outputs=[name], named=(*before, *outputs))


def with_named_result(body: CallBody) -> CallBody | None:
    """The call with a line for its only result; None where no turn of a loop makes that."""
    made = len(body.outputs) == 1 and body.outputs[0] in turn_of_each(body.scope)
    return replace(body, named=body.outputs) if made else None


def made_in_turns(scope: CallScope, items: Sequence[Item], outputs: Sequence[str]) -> list[str]:
    """What the turns of a loop make whose last make the results, before these."""
    turns = turn_of_each(scope)
    last: dict[LoopTurn, str] = {}  # that is made in a turn
    first = turns.get(outputs[0])
    for item in items:
        for name in item.makes:
            turn = turns.get(name)
            if turn is not None and first is not None and turn.loop == first.loop:
                last[turn] = name
    found = [*last.values()]
    goes_on = [turn.place for turn in last] == [*range(len(last))]
    return found[: -len(outputs)] if goes_on and found[-len(outputs) :] == [*outputs] else []


def turn_of_each(scope: CallScope) -> Mapping[str, LoopTurn]:
    """The turn of the outermost loop in which each tensor of a call was made."""
    found: dict[str, LoopTurn] = {}
    for member in scope.members:
        path, makes = (
            (member.name, [member.name])
            if isinstance(member, Node)
            else (member.path, member.outputs)
        )
        if turns := scope.turns[scope.local(path)]:
            found |= dict.fromkeys(makes, turns[0])
    return found
