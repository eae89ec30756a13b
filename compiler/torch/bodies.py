"""What a call of a block does, step by step, before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from compiler.torch.attributes import Attributes
from compiler.torch.calls import Scope
from compiler.torch.statements import Item, mark
from grammar.records import dataclass


@dataclass
class Body:
    """The members of a call and its steps, the tensors that go in and come out."""

    scope: Scope
    attributes: Attributes
    items: list[Item]
    takes: list[str]
    outputs: list[str]
    symbols: list[str]
    uses: set[str]

    @property
    def block(self) -> str:
        """The block that is called."""
        return self.scope.step.block if self.scope.step else ""


def needed(items: Sequence[Item], outputs: Iterable[str]) -> list[Item]:
    """The items that lead to an output."""
    wanted, kept = set(outputs), []
    for item in reversed(items):
        if wanted.intersection(item.makes):
            wanted.update(item.takes)
            kept.append(item)
    return kept[::-1]


def without_aliases(items: Sequence[Item], outputs: Sequence[str]) -> tuple[list[Item], list[str]]:
    """The items without those that hand on what they take, and what is given then."""
    found: list[Item] = []
    same: dict[str, str] = {}
    for item in items:
        takes = tuple(same.get(name, name) for name in item.takes)
        if item.template == mark(0) and len(item.makes) == 1:
            same[item.makes[0]] = takes[0]
        else:
            found.append(item if takes == item.takes else replace(item, takes=takes))
    return found, [same.get(name, name) for name in outputs]
