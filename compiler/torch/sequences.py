"""Runs of layers under one name, each fed by the one before, as an nn.Sequential."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from compiler.torch.attributes import TAKEN_IN_SEQUENCES, Attributes
from compiler.torch.calls import CallScope
from compiler.torch.layer import Call
from compiler.torch.statements import Item, mark, reference, references


def collapsed(
    scope: CallScope, attributes: Attributes, items: list[Item], outputs: list[str], *, is_net: bool
) -> list[Item]:
    """The items with such runs as one module each, which are members now."""
    layers = {*attributes.all_names()}  # one that holds others is no sequence of them
    for prefix in attributes.numbered():
        if prefix not in layers:
            items = numbered(scope, attributes, items, prefix, outputs, is_net=is_net)
    for prefix in attributes.holders():
        if prefix not in layers:
            items = named(attributes, items, prefix, outputs)
    return items


def numbered(
    scope: CallScope,
    attributes: Attributes,
    items: list[Item],
    prefix: str,
    outputs: Sequence[str],
    *,
    is_net: bool,
) -> list[Item]:
    """The items with the layers `prefix.0`, `prefix.1`, … as one, where they are a chain."""
    count = attributes.count_of(prefix)
    full = [f"{prefix}.{place}" if prefix else str(place) for place in range(count)]
    absolute = [f"{scope.path}.{name}" if scope.path else name for name in full]
    by_module: dict[str, int] = {}
    for place, item in enumerate(items):
        for local, name in zip(full, absolute, strict=True):
            called = item.template == f"{reference(local)}({mark(0)})"
            if called or (item.makes == (name,) and local in attributes.plain):
                if local in by_module:
                    return items  # called twice
                by_module[local] = place
    places = [by_module.get(local, -1) for local in full]
    if prefix and any(
        name.startswith(f"{prefix}.") and name not in full for name in attributes.all_names()
    ):
        return items
    if not prefix and (is_net or count < len(items)):
        return items
    fewest = 2 if prefix else 1  # a block of a sequence of one is that
    if count < fewest or -1 in places or places != [*range(places[0], places[0] + count)]:
        return items
    run = items[places[0] : places[0] + count]
    if not is_chain(run, items, outputs):
        return items
    if any(name.startswith(f"{local}.") for name in attributes.all_names() for local in full):
        return items
    if any(local in (*attributes.parameters, *attributes.buffers) for local in full):
        return items
    if any(local == f for f, _, _ in attributes.fixed for local in full):
        return items
    made = [attributes.calls.get(local) or attributes.plain[local] for local in full]
    attributes.put(prefix, Call("nn.Sequential", tuple(made)), instead=full)
    return as_one(items, run, prefix)


def named(
    attributes: Attributes, items: list[Item], prefix: str, outputs: Sequence[str]
) -> list[Item]:
    """The items with the layers `prefix.a`, `prefix.b`, … as one, where they are a chain."""
    names = [name for name in attributes.all_names() if name.startswith(f"{prefix}.")]
    own = [name[len(prefix) + 1 :] for name in names]
    if not {*names} <= {*attributes.calls} or len(names) < 2 - ("." in prefix):
        return items
    if any("." in name or name in TAKEN_IN_SEQUENCES for name in own):
        return items
    if any(name in names for name, _, _ in attributes.fixed):
        return items
    callers = [item for item in items if {*references(item.template)} & {*names}]
    if [item.template for item in callers] != [f"{reference(name)}({mark(0)})" for name in names]:
        return items
    start = items.index(callers[0])
    if items[start : start + len(names)] != callers or not is_chain(callers, items, outputs):
        return items
    calls = [attributes.calls[name] for name in names]
    pairs = tuple((name, call, None) for name, call in zip(own, calls, strict=True))
    are_numbered = own == [str(place) for place in range(len(own))]
    given = tuple(calls) if are_numbered else (Call("OrderedDict", (), pairs),)
    made = Call("nn.Sequential", given)
    attributes.put(prefix, made, instead=names)
    return as_one(items, callers, prefix)


def is_chain(run: Sequence[Item], items: Sequence[Item], outputs: Sequence[str]) -> bool:
    """Whether each of some items is fed by the one before and feeds nothing but the next."""
    if any(len(item.takes) != 1 or len(item.makes) != 1 for item in run):
        return False
    uses = Counter(source for item in items for source in item.takes)
    return all(
        after.takes == before.makes
        and uses[before.makes[0]] == 1
        and before.makes[0] not in outputs
        for before, after in pairwise(run)
    )


def as_one(items: Sequence[Item], run: Sequence[Item], name: str) -> list[Item]:
    """The items with a run of them as a call of one module."""
    start = items.index(run[0])
    one = Item(run[-1].makes, run[0].takes, f"{reference(name)}({mark(0)})", run[-1].comment)
    return [*items[:start], one, *items[start + len(run) :]]
