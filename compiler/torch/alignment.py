"""Sequences of a member that differ in which layers they have, as one with layers that some have.

`nn.Sequential(*([Unit(c, hidden)] if hidden != c else []), Unit(hidden, out))` is what two calls
of a block say that have one and two units.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from compiler.torch.layer import OPTIONAL, PRESENT, Call, blank, is_made

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
