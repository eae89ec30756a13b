"""Tensors that are made alike and come together: one by one in a comprehension, or in a list.

`torch.cat([self.head(each) for each in (x, y, z)], 1)` is one head on several maps; what a loop
makes at each turn and a sum takes at its end is appended to a list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from compiler.torch.statements import Item, mark, references

FEWEST, FEWEST_LISTED = 3, 6  # tensors of a comprehension, of a list
LIST = "parts"  # what a list of tensors is called
EACH, MAP = "each", "m"  # what a comprehension calls one of them, the number of a map
MARK = re.compile(r"M\d+_M")
CONCATENATED = re.compile(r"torch\.cat\(\((M\d+_M(?:, M\d+_M)+)\), (\d+)\)")
SINGLE = re.compile(r"M0_M\[:, (\d+):(\d+)\]")
ADDED = re.compile(r"\((M\d+_M(?: \+ M\d+_M)+)\)")


def mapped(items: Sequence[Item], outputs: Sequence[str], taken: Sequence[str]) -> list[Item]:
    """The items with one module on several tensors, which are joined, in a comprehension.

    `taken` are names that a variable of it may not have.
    """
    uses = Counter(name for item in items for name in item.takes) + Counter(outputs)
    makers = {name: item for item in items for name in item.makes}
    callers = calls_in(items)
    gone: set[str] = set()
    found: list[Item] = []
    for item in items:
        one = together(item, makers, uses, callers, taken)
        if one is not None and not in_order(items, [makers[name] for name in item.takes]):
            one = None
        gone |= {*item.takes} if one is not None else set()
        found.append(item if one is None else one)
    return whole_results([i for i in found if not {*i.makes} & gone], outputs) if gone else found


def together(
    item: Item,
    makers: dict[str, Item],
    uses: Counter[str],
    callers: Counter[str],
    taken: Sequence[str],
) -> Item | None:
    """A join of what one module makes of several tensors as one step; None for another."""
    parts = [makers.get(name) for name in item.takes]
    if one_by_one(item, parts, uses):
        return chosen(item, parts, free(MAP, taken))
    first = parts[0] if parts else None
    if len(parts) < FEWEST or first is None or len(first.takes) != 1:
        return None
    for name, part in zip(item.takes, parts, strict=True):
        if part is None or part.template != first.template or uses[name] != 1:
            return None
        if part.makes != (name,) or len(part.takes) != 1:
            return None
    if not references(first.template) or not by_themselves(parts, callers):
        return None
    concatenated = CONCATENATED.fullmatch(item.template)
    if concatenated is None or MARK.findall(item.template) != [*map(mark, range(len(parts)))]:
        return None
    sources = tuple(part.takes[0] for part in parts if part is not None)
    every = f"({', '.join(map(mark, range(len(sources))))})"
    made = first.template.replace(mark(0), EACH)
    template = f"torch.cat([{made} for {EACH} in {every}], {concatenated[2]})"
    return Item(item.makes, sources, template, item.comment)


def calls_in(items: Iterable[Item | None]) -> Counter[str]:
    """How often each module is called."""
    return Counter(name for item in items if item for name in references(item.template))


def by_themselves(parts: Iterable[Item | None], callers: Counter[str]) -> bool:
    """Whether nothing else calls the modules of some items: what they learn follows an order."""
    return all(callers[name] == count for name, count in calls_in(parts).items())


def in_order(items: Sequence[Item], parts: Sequence[Item]) -> bool:
    """Whether some of the items stand in this order."""
    places = {id(item): place for place, item in enumerate(items)}
    found = [places[id(part)] for part in parts]
    return found == sorted(found)


def one_by_one(item: Item, parts: Sequence[Item | None], uses: Counter[str]) -> bool:
    """Whether a join puts single maps of one tensor behind one another."""
    concatenated = CONCATENATED.fullmatch(item.template)
    if len(parts) < FEWEST or concatenated is None or len({*item.takes}) < len(parts):
        return False
    if MARK.findall(item.template) != [*map(mark, range(len(parts)))]:
        return False
    for name, part in zip(item.takes, parts, strict=True):
        single = SINGLE.fullmatch(part.template) if part is not None else None
        if single is None or uses[name] != 1 or int(single[1]) + 1 != int(single[2]):
            return False
    return len({part.takes for part in parts if part is not None}) == 1


def chosen(item: Item, parts: Sequence[Item | None], m: str) -> Item:
    """Single maps of one tensor in one step."""
    places = [part.template[len(mark(0)) + 4 :].partition(":")[0] for part in parts if part]
    (source,) = {part.takes for part in parts if part is not None}
    every = f"{mark(0)}[:, {m}:{m} + 1] for {m} in ({', '.join(places)})"
    return Item(item.makes, source, f"torch.cat([{every}], 1)", item.comment)


def whole_results(items: list[Item], outputs: Sequence[str]) -> list[Item]:
    """The items with the results of a call as one, where all that is done with them is for each."""
    found = [*items]
    for item in items:
        if len(item.makes) < FEWEST or {*item.makes} & {*outputs}:
            continue
        users = [other for other in found if {*other.takes} & {*item.makes}]
        every = f" in ({', '.join(map(mark, range(len(item.makes))))})]"
        if not all(user.takes == item.makes and every in user.template for user in users):
            continue
        whole = f"{item.makes[0]}/all"
        for user in users:
            template = user.template.replace(every, f" in {mark(0)}]")
            found[found.index(user)] = replace(user, takes=(whole,), template=template)
        found[found.index(item)] = replace(item, makes=(whole,))
    return found


def collected(items: Sequence[Item], taken: Sequence[str]) -> list[Item] | None:
    """The items with a list of what a join takes, filled as soon as can be; None without one.

    `taken` are names that the list may not have.
    """
    uses = Counter(name for item in items for name in item.takes)
    makers = {name: item for item in items for name in item.makes}
    for join in items:
        concatenated, added = (p.fullmatch(join.template) for p in (CONCATENATED, ADDED))
        every = MARK.findall(join.template) == [*map(mark, range(len(join.takes)))]
        if len(join.takes) < FEWEST_LISTED or not (concatenated or added) or not every:
            continue
        if any(uses[name] != 1 or name not in makers for name in join.takes):
            continue
        name = free(LIST, taken)
        whole = f"sum({name})" if concatenated is None else f"torch.cat({name}, {concatenated[2]})"
        parts = [makers[part] for part in join.takes]
        if not by_themselves(parts, calls_in(items)):
            continue
        found = filled(items, join, parts, name)
        if found is not None:
            place = found.index(join)
            found[place] = Item(join.makes, (), whole, join.comment)
            return [Item((), (), f"{name} = []"), *found]
    return None


def filled(
    items: Sequence[Item], join: Item, parts: Sequence[Item], name: str
) -> list[Item] | None:
    """The items with each part of a join appended to a list behind what it is made of.

    None where that would be in another order.
    """
    later = {id(part) for part in parts if len(part.takes) == 1}
    waiting: dict[str, list[Item]] = {}
    for part in parts:
        if id(part) in later:
            waiting.setdefault(part.takes[0], []).append(part)
    found: list[Item] = []
    order: list[Item] = []

    def put(item: Item) -> None:
        found.append(item)
        if any(item is part for part in parts):
            order.append(item)
            found.append(Item((), item.makes, f"{name}.append({mark(0)})"))
        for made in item.makes:
            for part in waiting.get(made, ()):
                put(part)

    made = {name for item in items for name in item.makes}
    for item in items:
        if id(item) not in later or item.takes[0] not in made:
            put(item)
    same = len(order) == len(parts) and all(a is b for a, b in zip(order, parts, strict=True))
    return found if same else None


def free(name: str, taken: Sequence[str]) -> str:
    """A name that is not taken."""
    while name in taken:
        name += "_"
    return name
