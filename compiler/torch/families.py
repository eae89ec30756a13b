"""Tensors that modules of one numbered name make, in a list of their order: `x[0]` of `enc1`.

What several steps take of such a family is `x[i]` then, so that a loop can say which. Modules of
two numbers make a list of lists: `x[i][j]` is of `conv{i}_{j}`, and `*x[i]` all of a row so far.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeAlias

from compiler.torch.bodies import CallBody
from compiler.torch.levels import MARKED
from compiler.torch.lists import CONCATENATED
from compiler.torch.statements import KEPT, Item, mark, references
from grammar.records import dataclass

FEWEST = 3  # tensors of a family
NUMBER = re.compile(r"\d+")
Place: TypeAlias = tuple[int, ...]


@dataclass
class Family:
    """Tensors by their places in a list, or in a list of lists, in the order they are made in."""

    places: dict[str, Place]

    @property
    def name(self) -> str:
        """What the list is called among the tensors."""
        return f"{next(iter(self.places))}{KEPT}"


def in_families(body: CallBody) -> Iterator[CallBody]:
    """The call with a list for each family of which half is taken again, and for all of them.

    As it is written, and with a line for each tensor that a numbered module makes.
    """
    uses = Counter(name for item in body.items for name in item.takes) + Counter(body.outputs)
    every = families(body.items)
    found = [
        family
        for family in every
        if 2 * sum(uses[name] > 1 for name in family.places) >= len(family.places)
    ]
    bodies = [with_list(body, family) for family in found]
    if len(found) > 1:
        bodies.append(reduce(with_list, found, body))
    names = [name for family in every for name in family.places]
    for each in bodies:
        yield each
        yield replace(each, named=names)


def families(items: Sequence[Item]) -> list[Family]:
    """The tensors that modules of a numbered name make, by this."""
    numbers: dict[str, dict[str, Place]] = {}
    for item in items:
        called = references(item.template)
        if len(item.makes) == len(called) == 1 and item.template.startswith("R_"):
            found = tuple(map(int, NUMBER.findall(called[0])))
            row = numbers.setdefault(NUMBER.sub("#", called[0]), {})
            row[item.makes[0]] = found
    rows = [row for row in numbers.values() if len(row) >= FEWEST]
    return [Family(places) for row in rows if (places := placed(row))]


def placed(numbers: dict[str, Place]) -> dict[str, Place]:
    """Where each tensor stands in the lists; empty where they are not filled in their order."""
    firsts = tuple(min(each) for each in zip(*numbers.values(), strict=False))
    if len({*map(len, numbers.values())}) > 1 or not 1 <= len(firsts) <= 2:
        return {}
    counts: dict[Place, int] = {}  # how many a list holds by now
    for number in numbers.values():
        *row, last = (each - first for each, first in zip(number, firsts, strict=True))
        if row and last == 0:
            counts[()] = counts.get((), 0) + 1
            if row != [counts[()] - 1]:
                return {}
        if last != counts.get(tuple(row), 0):
            return {}
        counts[tuple(row)] = last + 1
    return {
        name: tuple(each - first for each, first in zip(number, firsts, strict=True))
        for name, number in numbers.items()
    }


def with_list(body: CallBody, family: Family) -> CallBody:
    """The call with the tensors of a family in a list."""
    found: list[Item] = []
    rows: dict[Place, list[str]] = {}  # the tensors in each list by now
    for item in body.items:
        step = from_list(item, family, rows)
        found.append(step)
        if len(item.makes) == 1 and item.makes[0] in family.places:
            (name,) = item.makes
            found[-1] = replace(step, comment="")
            found.append(kept(name, family, item.comment))
            rows.setdefault(family.places[name][:-1], []).append(name)
    given = {name: f"{name}/given" for name in body.outputs if name in family.places}
    for name, handed in given.items():
        found.append(Item((handed,), (family.name,), element(mark(0), family.places[name])))
    return replace(body, items=found, outputs=[given.get(name, name) for name in body.outputs])


def kept(name: str, family: Family, comment: str) -> Item:
    """The step that puts a tensor in its list."""
    *row, last = place = family.places[name]
    if not any(place):
        opened, closed = "[" * len(place), "]" * len(place)
        return Item((family.name,), (name,), f"{opened}{mark(0)}{closed}", comment)
    if row and not last:
        return Item((), (name, family.name), f"{mark(1)}.append([{mark(0)}])", comment)
    holder = element(mark(1), row)
    return Item((), (name, family.name), f"{holder}.append({mark(0)})", comment)


def from_list(item: Item, family: Family, rows: dict[Place, list[str]]) -> Item:
    """A step that takes what is in lists by now from there, and all of a row at once."""
    held = {name for row in rows.values() for name in row}
    if not held.intersection(item.takes):
        return item
    sources = [family.name if name in held else name for name in item.takes]
    takes = tuple(dict.fromkeys(sources))
    texts = [
        element(mark(takes.index(source)), family.places[name] if name in held else ())
        for name, source in zip(item.takes, sources, strict=True)
    ]
    template = item.template
    for row, names in rows.items() if CONCATENATED.fullmatch(template) else ():
        start = item.takes.index(names[0]) if names[0] in item.takes else 0
        whole = ", ".join(mark(start + k) for k in range(len(names)))
        if item.takes[start : start + len(names)] == (*names,) and whole in template:
            texts[start] = f"*{element(mark(takes.index(family.name)), row)}"
            template = template.replace(whole, mark(start))
    template = MARKED.sub(lambda at: texts[int(at[1])], template)
    return replace(item, takes=takes, template=template)


def element(text: str, place: Sequence[int]) -> str:
    """What stands at a place of a list, or of a list of lists."""
    return text + "".join(f"[{at}]" for at in place)
