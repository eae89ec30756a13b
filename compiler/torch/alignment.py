"""Sequences of a member that differ in which layers they have, as one with layers that some have.

`nn.Sequential(*([Unit(c, hidden)] if hidden != c else []), Unit(hidden, out))` is what two calls
of a block say that have one and two units.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from compiler.torch.layer import OPTIONAL, PRESENT, REPEATED, Call, blank, is_made

SEQUENCE = "nn.Sequential"


def aligned(calls: Sequence[Call]) -> list[Call]:
    """Sequences of the same places; what one has not is an option not taken."""
    slots: list[dict[int, Call]] = []
    for number, call in enumerate(calls):
        elements = [*call.arguments]
        keys = [key_of(next(iter(slot.values()))) for slot in slots]
        own = [*map(key_of, elements)]
        found: list[dict[int, Call]] = []
        matcher = SequenceMatcher(None, keys, own, autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                pairs = zip(slots[a:b], elements[c:d], strict=True)
                found += [{**slot, number: element} for slot, element in pairs]
            else:
                found += [*slots[a:b], *({number: element} for element in elements[c:d])]
        slots = found
    return [
        Call(SEQUENCE, tuple(in_slot(slot, number, len(calls)) for slot in slots))
        for number in range(len(calls))
    ]


def in_slot(slot: dict[int, Call], number: int, count: int) -> Call:
    """The element of one of several sequences in a place."""
    if len(slot) == count:
        return slot[number]
    element = slot.get(number, next(iter(slot.values())))
    return Call(OPTIONAL, (number in slot, element), (), (f"{PRESENT}{flag_of(element)}",))


def flag_of(element: Call) -> str:
    """What says whether a layer is there: `with_dropout` for nn.Dropout."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", element.function.split(".")[-1])
    return f"with_{'_'.join(words).lower()}"


def key_of(element: Call) -> Any:
    """What two elements in one place have in common."""
    return repr(blank(element)) if is_made(element) else "act"


def is_sequence(value: Any) -> bool:
    """Whether a module is a sequence of calls."""
    return (
        isinstance(value, Call)
        and value.function == SEQUENCE
        and not value.keywords
        and all(isinstance(element, Call) for element in value.arguments)
    )


def counted(calls: Sequence[Call]) -> list[Call] | None:
    """Sequences in which an element comes so many times: as often as is told; None for others.

    `nn.Sequential(*(Down(c) for _ in range(n - 1)), Last(c))` is what several say that have no
    `Down`, one and two.
    """
    runs = [runs_of(call.arguments) for call in calls]
    whole = max(runs, key=len)
    keys = [key_of(element) for element, _ in whole]
    if len({*map(repr, keys)}) < len(keys):
        return None
    counts: list[dict[Any, tuple[Call, int]]] = []
    for run in runs:
        counts.append({repr(key_of(element)): (element, count) for element, count in run})
        if [*counts[-1]] != [repr(key) for key in keys if repr(key) in counts[-1]]:
            return None
    slots = [(repr(key), element) for key, (element, _) in zip(keys, whole, strict=True)]
    varying = {key for key, _ in slots if any(own.get(key, (None, 0))[1] != 1 for own in counts)}
    if not varying or len(varying) == len(slots):
        return None
    return [
        Call(
            SEQUENCE,
            tuple(
                Call(
                    REPEATED,
                    (own.get(key, (None, 0))[1], own.get(key, (other, 0))[0]),
                    (),
                    ("count",),
                )
                if key in varying
                else own[key][0]
                for key, other in slots
            ),
        )
        for own in counts
    ]


def runs_of(elements: Sequence[Call]) -> list[tuple[Call, int]]:
    """Equal elements that follow one another, each with how often."""
    return [(element, len([*alike])) for element, alike in groupby(elements)]


def uncounted(sequence: Call) -> Call:
    """A sequence in which all elements that come so many times do so."""
    elements: list[Any] = []
    for value in sequence.arguments:
        match value:
            case Call(function=function, arguments=(count, element)) if function == REPEATED:
                elements += [element] * count
            case _:
                elements.append(value)
    return replace(sequence, arguments=tuple(elements))
