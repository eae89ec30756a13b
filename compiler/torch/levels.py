"""Tensors that are taken together again and again, as a list: levels of a pyramid, branches.

Where several sums or concatenations each take something of the same tensors, these are a list,
`x`. What is made of all of it, and what is made of each of its tensors by a layer for each, are
lists too: `x = [self.branches[i](x[i]) for i in range(3)]`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace
from functools import partial
from typing import TypeAlias

from compiler.torch.lists import ADDED, CONCATENATED, calls_in
from compiler.torch.statements import ANY, Item, mark, references, resolved
from grammar.records import dataclass

MARKED = re.compile(r"M(\d+)_M")
Tensors: TypeAlias = tuple[str, ...]


@dataclass
class Listed:
    """Tensors that are a list, and how it is made.

    `of` is the list of which they are made, `rows` whether each is of all of that; `more` is the
    list that they begin with.
    """

    tensors: Tensors
    of: Listed | None = None
    rows: bool = False
    more: Listed | None = None

    @property
    def name(self) -> str:
        """What the list is called among the tensors."""
        return f"{self.tensors[0]}/{len(self.tensors)}"


def levelled(items: Sequence[Item], outputs: Sequence[str], tensor: str) -> list[Item]:
    """The items with lists of what is taken together; as they are without any.

    `tensor` is one of the batch that comes in.
    """
    made = Lists([*map(partial(of_batch, tensor), items)], outputs)
    return Rewritten(made).items() if made.found else [*items]


def of_batch(tensor: str, item: Item) -> Item:
    """A step with one tensor of the batch for any: a list is none."""
    if ANY not in item.template:
        return item
    template = item.template.replace(ANY, mark(len(item.takes)))
    return replace(item, takes=(*item.takes, tensor), template=template)


def skeleton(template: str) -> str:
    """A step without its numbers."""
    return re.sub(r"\d+", "#", resolved(template, lambda name: f"self.{name}"))


def is_single(item: Item | None) -> bool:
    """Whether a step makes one tensor of one."""
    return item is not None and len(item.takes) == len(item.makes) == 1


@dataclass
class Row:
    """A sum or concatenation of what is made of some tensors, and the steps to these."""

    join: Item
    sources: Tensors
    key: str  # what it does, but for numbers


class Lists:
    """The lists that there are among the tensors of a body."""

    def __init__(self, items: Sequence[Item], outputs: Sequence[str]) -> None:
        self.items = items
        self.outputs = outputs
        self.uses = Counter(name for item in items for name in item.takes) + Counter(outputs)
        self.makers = {name: item for item in items for name in item.makes}
        self.users: dict[str, list[Item]] = {}
        for item in items:
            for name in item.takes:
                self.users.setdefault(name, []).append(item)
        self.called = calls_in(items)
        self.found: dict[Tensors, Listed] = {}
        self.held: dict[str, Listed] = {}  # the first list that a tensor is in
        rows: dict[Tensors, list[Row]] = {}
        for row in filter(None, map(self.row, items)):
            rows.setdefault(row.sources, []).append(row)
        several = {sources: alike for sources, alike in rows.items() if len(alike) > 1}
        for sources in several:
            self.put(sources)
        for sources, alike in several.items():
            if sources in self.found and len({row.key for row in alike}) == 1:
                self.follow(self.found[sources], alike)
        for listed in [*self.found.values()]:
            self.lead(listed)

    def put(self, tensors: Tensors) -> Listed | None:
        """A list of some tensors; None where one is in another list."""
        if tensors not in self.found:
            if any(name in self.held for name in tensors):
                return None
            self.found[tensors] = Listed(tensors)
            self.held |= dict.fromkeys(tensors, self.found[tensors])
        return self.found[tensors]

    def row(self, item: Item) -> Row | None:
        """A join of steps that are alike; None for another."""
        if not (ADDED.fullmatch(item.template) or CONCATENATED.fullmatch(item.template)):
            return None
        lanes = [self.lane(name) for name in item.takes]
        sources, keys = tuple(source for source, _ in lanes), {key for _, key in lanes}
        if len({*sources}) < len(item.takes) or len(keys) > 1 or not all(keys):
            return None
        return Row(item, sources, f"{item.template[:9]}{keys}")

    def lane(self, name: str) -> tuple[str, str]:
        """Of which tensor one is made by steps that nothing else takes, and by which."""
        steps: list[str] = []
        while self.uses[name] == 1 and self.is_own(self.makers.get(name)):
            steps.append(skeleton(self.makers[name].template))
            (name,) = self.makers[name].takes
        return name, ";".join(steps)

    def is_own(self, item: Item | None) -> bool:
        """Whether a step of one tensor may stand elsewhere: only it calls its modules."""
        return (
            item is not None
            and is_single(item)
            and all(self.called[name] == 1 for name in references(item.template))
        )

    def follow(self, listed: Listed, rows: Sequence[Row]) -> None:
        """The lists that are made of one: by rows, then one by one."""
        ends = tuple(row.join.makes[0] for row in rows)
        while (after := self.next(ends)) and not any(references(i.template) for i in after):
            ends = tuple(item.makes[0] for item in after)
        made = self.put(ends)
        if made is None:
            return
        made.of, made.rows = listed, True
        while (after := self.next(made.tensors)) and any(references(i.template) for i in after):
            ends = tuple(item.makes[0] for item in after)
            before, made = made, self.put(ends)
            if made is None:
                return
            made.of = before

    def next(self, tensors: Tensors) -> list[Item]:
        """The steps that alone take each of some tensors, where they are alike."""
        if any(self.uses[name] != 1 or name not in self.users for name in tensors):
            return []
        after = [self.users[name][0] for name in tensors]
        alike = len({skeleton(item.template) for item in after}) == 1
        return after if alike and all(map(self.is_own, after)) else []

    def lead(self, listed: Listed) -> None:
        """The list of which one is made, one by one."""
        makers = [self.makers.get(name) for name in listed.tensors]
        if listed.of or not all(map(self.is_own, makers)):
            return
        before = [item for item in makers if item is not None]
        sources = tuple(item.takes[0] for item in before)
        alike = len({skeleton(item.template) for item in before}) == 1
        if not alike or len({*sources}) < len(sources):
            return
        more = self.held.get(sources[0])
        if sources not in self.found and more and more.tensors == sources[: len(more.tensors)]:
            rest = sources[len(more.tensors) :]
            if any(name in self.held for name in rest):
                return
            self.found[sources] = listed.of = Listed(sources, more=more)
            self.held |= dict.fromkeys(rest, listed.of)
            return
        listed.of = self.put(sources)
        if listed.of is not None:
            self.lead(listed.of)


@dataclass
class Expression:
    """An expression in the making, and the tensors that its marks stand for."""

    takes: list[str] = field(default_factory=list)

    def mark(self, name: str) -> str:
        """What stands for a tensor."""
        if name not in self.takes:
            self.takes.append(name)
        return mark(self.takes.index(name))


class Rewritten:
    """The items with the lists in them."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.places = {id(item): place for place, item in enumerate(lists.items)}
        self.gone: set[int] = set()  # the places of the items that are part of a list's
        self.whole = {id(each): self.whole_at(each) for each in self.found()}
        self.grown = {id(each) for each in self.found() if self.grows(each)}

    def found(self) -> list[Listed]:
        """The lists."""
        return [*self.lists.found.values()]

    def made_at(self, name: str) -> int:
        """The place of the step that makes a tensor; -1 for what comes in."""
        maker = self.lists.makers.get(name)
        return -1 if maker is None else self.places[id(maker)]

    def whole_at(self, listed: Listed) -> int:
        """The place of the step after which a list can be made."""
        return self.whole_at(listed.of) if listed.of else max(map(self.made_at, listed.tensors))

    def grows(self, listed: Listed) -> bool:
        """Whether a list is filled one by one: a tensor of it is needed before it is whole."""
        users = [u for name in listed.tensors for u in self.lists.users.get(name, ())]
        early = any(self.places[id(user)] <= self.whole[id(listed)] for user in users)
        return early and listed.of is None and listed.more is None

    def items(self) -> list[Item]:
        """The items; as they were where an order does not allow it."""
        lists = self.lists
        made = {id(each): self.list_item(each) for each in self.found()}
        waiting = [each for each in self.found() if id(each) not in self.grown]
        found: list[Item] = []
        known = {name for item in lists.items for name in item.takes if name not in lists.makers}
        for place, item in enumerate([Item((), (), ""), *lists.items], -1):
            steps = self.growing(item)
            if place >= 0 and place not in self.gone:
                steps.insert(0, self.redirected(item, place))
            for step in steps:
                if not {*step.takes} <= known:
                    return [*lists.items]
                found.append(step)
                known.update(step.makes)
            for each in [*waiting]:
                step = made[id(each)]
                if self.whole[id(each)] <= place and {*step.takes} <= known:
                    waiting.remove(each)
                    found.append(step)
                    known.update(step.makes)
        given = [name for name in lists.outputs if name in lists.held and name not in known]
        for name in dict.fromkeys(given):
            made_of = Expression()
            text = self.in_list(name, lists.held[name], made_of)
            found.append(Item((name,), tuple(made_of.takes), text))
        return [*lists.items] if waiting else found

    def growing(self, item: Item) -> list[Item]:
        """The steps that put what an item makes in lists that are filled one by one."""
        found: list[Item] = []
        for listed in self.found():
            if id(listed) in self.grown:
                for name in item.makes:
                    if name == listed.tensors[0]:
                        found.append(Item((listed.name,), (name,), f"[{mark(0)}]"))
                    elif name in listed.tensors:
                        appended = f"{mark(1)}.append({mark(0)})"
                        found.append(Item((), (name, listed.name), appended))
        return found

    def list_item(self, listed: Listed) -> Item:
        """The step that makes a list at once."""
        if id(listed) in self.grown:
            return Item((), (), "")
        made = Expression()
        more = listed.more
        parts = [f"*{made.mark(more.name)}"] if more else []
        for name in listed.tensors[len(more.tensors) if more else 0 :]:
            parts.append(self.element(name, listed, made))
        return Item((listed.name,), tuple(made.takes), f"[{', '.join(parts)}]")

    def element(self, name: str, listed: Listed, made: Expression, *, inner: bool = False) -> str:
        """A tensor as an expression of those of which its list is made."""
        maker = self.lists.makers.get(name)
        if inner and listed.of is not None and name in listed.of.tensors:
            return self.in_list(name, listed.of, made)
        if maker is None or (inner and not listed.rows):
            return self.tensor(name, self.whole[id(listed)] + 1, made, listed)
        if not listed.rows and not self.lists.is_own(maker):
            return made.mark(name)
        self.gone.add(self.places[id(maker)])
        texts = [self.element(each, listed, made, inner=True) for each in maker.takes]
        safe = [text if re.fullmatch(r"[\w.]+", text) else f"({text})" for text in texts]
        return MARKED.sub(lambda found: safe[int(found[1])], maker.template)

    def tensor(self, name: str, place: int, made: Expression, inside: Listed | None = None) -> str:
        """A tensor before a place, from a list where it is in one by then."""
        listed = self.lists.held.get(name)
        if listed is None or listed is inside:
            return made.mark(name)
        at = self.made_at(name) if id(listed) in self.grown else self.whole[id(listed)]
        return self.in_list(name, listed, made) if at < place else made.mark(name)

    @staticmethod
    def in_list(name: str, listed: Listed, made: Expression) -> str:
        """A tensor by its place in a list."""
        return f"{made.mark(listed.name)}[{listed.tensors.index(name)}]"

    def redirected(self, item: Item, place: int) -> Item:
        """A step that takes what is in lists from these."""
        made = Expression()
        texts = [self.tensor(name, place, made) for name in item.takes]
        template = MARKED.sub(lambda found: texts[int(found[1])], item.template)
        return replace(item, takes=tuple(made.takes), template=template)
