"""Calls of a block some of which have a layer more: the others get an nn.Identity in its place.

A residual block projects what goes around it where sizes change, and not elsewhere: with
`self.downsample = … if stride == 2 else nn.Identity()` all of its calls do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from compiler.torch.attributes import top
from compiler.torch.bodies import CallBody
from compiler.torch.layer import Call
from compiler.torch.statements import Item, mark, reference

IDENTITY = Call("nn.Identity")
DROPS = "DropPath"  # is an identity where it drops none


def completed(bodies: Sequence[CallBody]) -> list[CallBody]:
    """The calls of a block, those alike that differ by layers that some of them have."""
    groups: dict[Any, list[int]] = {}
    for place, body in enumerate(bodies):
        groups.setdefault(signature(body), []).append(place)
    made = [*bodies]
    if len(groups) == 1:
        return made
    families: list[tuple[CallBody, list[int]]] = []
    for places in sorted(groups.values(), key=lambda places: -len(bodies[places[0]].items)):
        for number, (whole, others) in enumerate(families):
            both = united(whole, bodies[places[0]])
            if both is not None:
                families[number] = (both, [*others, *places])
                break
        else:
            families.append((bodies[places[0]], places))
    for whole, places in families:
        for place in places:
            own = bodies[place].attributes.calls
            missing = [name for name in whole.attributes.calls if name not in own]
            if missing:
                made[place] = with_identities(bodies[place], whole, missing)
    return made


def united(whole: CallBody, part: CallBody) -> CallBody | None:
    """A call with the layers of two, where they differ by layers of one tensor; else None."""
    more, others = optional_names(whole, part), optional_names(part, whole)
    bare, own = without(whole, more), without(part, others)
    if not (more or others) or signature(bare) != signature(own):
        return None
    return with_layers(whole, part, more, others) if others else whole


def with_layers(
    whole: CallBody, part: CallBody, more: Sequence[str], others: Sequence[str]
) -> CallBody | None:
    """A call with layers of another besides; None where both have one between the same steps."""
    before, after = (Edges(body, names) for body, names in ((whole, more), (part, others)))
    items: list[Item] = []
    left = [*others]

    def led(ours: str, theirs: str) -> str | None:
        """What a step takes, after the layers of the other call between it and what it took."""
        names = after.between(theirs)
        if names and (before.between(ours) or names != left[: len(names)]):
            return None
        for name in names:
            items.append(Item((f"{ours}/{name}",), (ours,), call_of(name)))
            ours = f"{ours}/{name}"
            left.remove(name)
        return ours

    steps = iter(item for item in part.items if item.template not in after.calls)
    for item in whole.items:
        if item.template in before.calls:
            items.append(item)
            continue
        theirs = next(steps)
        takes = [led(a, b) for a, b in zip(item.takes, theirs.takes, strict=True)]
        if None in takes:
            return None
        items.append(replace(item, takes=tuple(name for name in takes if name)))
    outputs = [led(a, b) for a, b in zip(whole.outputs, part.outputs, strict=True)]
    if None in outputs or left:
        return None
    added = {name: part.attributes.calls[name] for name in others}
    attributes = replace(whole.attributes, calls={**whole.attributes.calls, **added})
    results = [name for name in outputs if name]
    uses = whole.uses | part.uses
    return replace(whole, items=items, outputs=results, attributes=attributes, uses=uses)


class Edges:
    """Which of some layers lie between what a step takes and where that comes from."""

    def __init__(self, body: CallBody, names: Sequence[str]) -> None:
        self.calls = {call_of(name): name for name in names}
        self.makers = {i.makes[0]: i for i in body.items if i.template in self.calls}

    def between(self, tensor: str) -> list[str]:
        """Their names in order."""
        found: list[str] = []
        while tensor in self.makers:
            item = self.makers[tensor]
            found.insert(0, self.calls[item.template])
            tensor = item.takes[0]
        return found


def signature(body: CallBody) -> Any:
    """What a call does, whatever its tensors are called."""
    places = {name: place for place, name in enumerate(body.takes)}
    steps = []
    for item in body.items:
        steps.append((item.template, tuple(places[name] for name in item.takes)))
        for name in item.makes:
            places[name] = len(places)
    return (*steps, tuple(places[name] for name in body.outputs))


def optional_names(whole: CallBody, part: CallBody) -> list[str]:
    """The modules of a call, each of one tensor, that another call has not."""
    others = {top(name) for name in part.attributes.all_names()}
    return [name for name in whole.attributes.calls if top(name) not in others and "." not in name]


def call_of(name: str) -> str:
    """A module of one tensor as a step."""
    return f"{reference(name)}({mark(0)})"


def without(body: CallBody, names: Sequence[str]) -> CallBody:
    """The call without some of its modules."""
    calls, same = {*map(call_of, names)}, dict[str, str]()
    items: list[Item] = []
    for item in body.items:
        takes = tuple(same.get(name, name) for name in item.takes)
        if item.template in calls and len(item.makes) == 1:
            same[item.makes[0]] = takes[0]
        else:
            items.append(replace(item, takes=takes))
    return replace(body, items=items, outputs=[same.get(name, name) for name in body.outputs])


def with_identities(body: CallBody, whole: CallBody, names: Sequence[str]) -> CallBody:
    """The call with the modules that it lacks as identities, its steps those of another."""
    calls = {*map(call_of, names)}
    ours = dict(zip(whole.takes, body.takes, strict=True))
    own, items = iter(body.items), list[Item]()
    for item in whole.items:
        takes = tuple(ours[name] for name in item.takes)
        if item.template in calls:
            ours[item.makes[0]] = f"{body.scope.path}/{item.makes[0]}"
            items.append(replace(item, makes=(ours[item.makes[0]],), takes=takes, comment=""))
        else:
            mine = next(own)
            ours |= zip(item.makes, mine.makes, strict=True)
            items.append(replace(mine, takes=takes))
    outputs = [ours[name] for name in whole.outputs]
    attributes = body.attributes
    members = {
        name: attributes.calls.get(name, idle(made))
        for name, made in whole.attributes.calls.items()
        if name in names or name in attributes.calls
    }
    attributes = replace(attributes, calls={**members, **attributes.calls})
    uses = body.uses | whole.uses
    return replace(body, items=items, outputs=outputs, attributes=attributes, uses=uses)


def idle(made: Call) -> Call:
    """What does nothing in the place of a module."""
    return made.with_values([0.0]) if made.function == DROPS else IDENTITY
