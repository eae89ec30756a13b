"""Calls of a block of which some do more than others: lines that begin and end where they differ.

What most calls do, and what stands behind an `if`, are lines of their own then, and a class has
each of them once: `if shift: x = self.rolled1(x)`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from compiler.torch.bodies import CallBody
from compiler.torch.classes import without_numbers
from compiler.torch.statements import Item, mark

SUM = re.compile(r"\(M\d+_M(?: \+ M\d+_M){2,}\)")


def split_where_they_differ(bodies: Sequence[CallBody]) -> list[tuple[CallBody, set[str]]]:
    """The calls step by step, each with the tensors that have a line of their own.

    They are compared with the one that has the most steps.
    """
    bodies = [replace(body, items=late(sums_of_two(body.items))) for body in bodies]
    whole = max(bodies, key=lambda body: len(body.items))
    of_whole: set[str] = set()
    alike: list[tuple[CallBody, dict[str, str], set[str]]] = []
    for body in bodies:
        here, ours, theirs = compared(whole, body)
        there = {other: one for one, other in here.items()}
        of_whole |= ours | {there[name] for name in theirs if name in there}
        alike.append((body, here, theirs))
    return [
        (body, theirs | {here[name] for name in of_whole if name in here})
        for body, here, theirs in alike
    ]


def compared(whole: CallBody, part: CallBody) -> tuple[dict[str, str], set[str], set[str]]:
    """What a call's tensors are in another, and at which tensors of each only it does something."""
    a_keys, b_keys = ([without_numbers(i.template) for i in body.items] for body in (whole, part))
    here = dict(zip(whole.takes, part.takes, strict=False))
    ours, theirs = set[str](), set[str]()
    for tag, a, b, c, d in SequenceMatcher(None, a_keys, b_keys, autojunk=False).get_opcodes():
        one, other = whole.items[a:b], part.items[c:d]
        if tag == "equal":
            for item, same in zip(one, other, strict=True):
                here |= zip(item.makes, same.makes, strict=False)
        else:
            ours |= edges_of(one, whole)
            theirs |= edges_of(other, part)
    return here, ours, theirs


def edges_of(run: Sequence[Item], body: CallBody) -> set[str]:
    """The tensors that some steps take from others, and those that others take from them."""
    made = {name for item in run for name in item.makes}
    taken = {name for item in run for name in item.takes}
    later = {name for item in body.items if item not in run for name in item.takes}
    return (taken - made) | (made & (later | {*body.outputs}))


def sums_of_two(items: Sequence[Item]) -> list[Item]:
    """The items with longer sums one addition after the other, which is how they are worked out."""
    found: list[Item] = []
    for item in items:
        count = len(item.takes)
        if not SUM.fullmatch(item.template) or item.template.count("M") != 2 * count:
            found.append(item)
            continue
        partial = item.takes[0]
        for place, name in enumerate(item.takes[1:], start=1):
            last = place == count - 1
            makes = item.makes if last else (f"{item.makes[0]}/{place}",)
            comment = item.comment if last else ""
            found.append(Item(makes, (partial, name), f"({mark(0)} + {mark(1)})", comment))
            (partial,) = makes
    return found


def late(items: Sequence[Item]) -> list[Item]:
    """The items, those that come from no input right before the first that is fed by them."""
    waiting: dict[str, Item] = {}
    found: list[Item] = []

    def put(item: Item) -> None:
        path = [item]  # each taken by the one before it
        while path:
            needed = next((waiting[n] for n in path[-1].takes if n in waiting), None)
            if needed is not None:
                path.append(needed)
                continue
            last = path.pop()
            for name in last.makes:
                waiting.pop(name, None)
            found.append(last)

    made: set[str] = set()  # that come from no input
    for item in items:
        if item.makes and made.issuperset(item.takes):
            waiting |= dict.fromkeys(item.makes, item)
            made |= {*item.makes}
        else:
            put(item)
    while waiting:
        put(next(iter(waiting.values())))
    return found
