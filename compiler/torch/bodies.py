"""What a call of a block does, step by step, before it is written."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import field, replace

from compiler.torch.attributes import Attributes
from compiler.torch.calls import CallScope
from compiler.torch.lines import split_at_commas
from compiler.torch.statements import Item, mark, references
from grammar.records import dataclass

PART = re.compile(r"(M0_M\.(?:chunk|split)\(.*\))\[(\d+)\]")  # of a tensor
HARMLESS = re.compile(r"nn\.(Conv\w+|Linear)$")
# A module along another axis than the last, and functions of each number by itself.
MOVED = re.compile(r"(R_[0-9a-f]*_R)\(M0_M\.movedim\((.*?)\)\)\.movedim\((.*?)\)")
EACH = re.compile(
    r"(F\.(relu6?|gelu|silu|hardswish|leaky_relu|elu)|torch\.(tanh|sigmoid))\(M0_M\W.*"
)


@dataclass
class CallBody:
    """The members of a call and its steps, the tensors that go in and come out.

    Those that are `named` have a line each.
    """

    scope: CallScope
    attributes: Attributes
    items: list[Item]
    takes: list[str]
    outputs: list[str]
    symbols: list[str]
    uses: set[str]
    idle: list[Item] = field(default_factory=list)  # all its steps, those that lead nowhere too
    named: Sequence[str] = ()

    @property
    def block(self) -> str:
        """The block that is called."""
        return self.scope.step.block if self.scope.step else ""


def harmless(items: Sequence[Item], attributes: Attributes) -> bool:
    """Whether steps that lead nowhere change nothing: products and functions alone."""
    called = {name for item in items for name in references(item.template)}
    made = [attributes.calls[name].function for name in called if name in attributes.calls]
    return len(made) == len(called) and all(HARMLESS.match(function) for function in made)


def holds_nothing(body: CallBody) -> bool:
    """Whether a call has no members, and does the same in training as otherwise."""
    return not body.attributes.all_names() and not any(
        "self." in item.template for item in body.items
    )


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


def with_parts_together(items: Sequence[Item]) -> list[Item]:
    """The items with the parts of a tensor taken at once, where all of them are."""
    parts: dict[tuple[str, ...], dict[int, str]] = {}
    taken = Counter((*item.takes, item.template) for item in items)
    for item in items:
        part = PART.fullmatch(item.template)
        if part is not None and taken[*item.takes, item.template] == 1:
            places = parts.setdefault((*item.takes, part[1]), {})
            places[int(part[2])] = item.makes[0]
    found: list[Item] = []
    for item in items:
        part = PART.fullmatch(item.template)
        makes = parts.get((*item.takes, part[1]), {}) if part is not None else {}
        if part is None or not 1 < len(makes) == count_of(
            part[1]
        ):  # some are left out, or taken twice
            found.append(item)
        elif item.makes[0] == next(iter(makes.values())):
            several = tuple(makes[place] for place in range(len(makes)))
            found.append(Item(several, item.takes, part[1]))
    return found


def count_of(template: str) -> int:
    """How many parts a tensor is taken into."""
    parts = ast.literal_eval(template.partition("(")[2].rpartition(",")[0])
    return len(parts) if isinstance(parts, tuple) else int(parts)


def with_moves_together(items: Sequence[Item], outputs: Sequence[str]) -> list[Item]:
    """The items with axes moved once for several modules that all look along the same one."""
    found: list[Item] = []
    for item in items:
        moved = MOVED.fullmatch(item.template)
        if moved is None:
            found.append(item)
            continue
        module, there, back = moved.groups()
        (source,), (made,) = item.takes, item.makes
        inside, outside = f"{made}/in", f"{made}/out"
        found.append(Item((inside,), (source,), f"{mark(0)}.movedim({there})"))
        found.append(Item((outside,), (inside,), f"{module}({mark(0)})"))
        found.append(Item((made,), (outside,), f"{mark(0)}.movedim({back})", item.comment))
    return without_turns_back(found, outputs) if len(found) > len(items) else [*items]


def without_turns_back(items: list[Item], outputs: Sequence[str]) -> list[Item]:
    """The items without moves that the next one takes back, past functions of each number."""
    uses = Counter(name for item in items for name in item.takes) + Counter(outputs)
    places = {name: place for place, item in enumerate(items) for name in item.makes}
    gone: dict[str, str] = {}
    for item in items:
        if ".movedim(" not in item.template or references(item.template):
            continue
        source = item.takes[0]
        while (
            uses[source] == 1
            and source in places
            and EACH.fullmatch(items[places[source]].template)
        ):
            source = items[places[source]].takes[0]
        before = items[places[source]] if uses[source] == 1 and source in places else None
        if before is not None and before.template == turned_back(item.template):
            gone[item.makes[0]] = item.takes[0]
            gone[source] = before.takes[0]
    kept = [item for item in items if not {*item.makes} & {*gone}]

    def origin(name: str) -> str:
        return origin(gone[name]) if name in gone else name

    return [replace(item, takes=tuple(map(origin, item.takes))) for item in kept]


def turned_back(move: str) -> str:
    """The move of axes that undoes another."""
    head, _, places = move[:-1].partition("(")
    there, back = split_at_commas(places)
    return f"{head}({back}, {there})"
