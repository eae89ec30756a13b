"""The turns of a loop as one body: numbers that count up in labels, a first turn that differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from compiler.importers.structure.expressions import same
from compiler.importers.structure.tree import Chain, Expression, Item, Loop, RecoveredStage, stages
from compiler.importers.structure.values import show
from compiler.ops.arguments import Extent
from grammar.records import dataclass

NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Count:
    """A number in a label that grows by `step` from `first`; it is the `place`th of the label."""

    place: int
    first: int
    step: int


def as_loop(turns: Sequence[Chain]) -> Loop | None:
    """The turns as one loop; None when the numbers in their names do not count up evenly."""
    counts: list[Count | None] = []
    for column in zip(*map(names_in, turns), strict=True):
        if len(set(column)) == 1 and not column[0]:
            counts.append(None)
            continue
        count = counted([str(name) for name in column])
        if count is None:
            return None
        counts.append(count)
    uneven = first_differs(turns[0], turns[1])
    unit = [count.first for count in counts if count is not None and count.step == 1]
    start = min(unit) if unit and not uneven else 0
    body = renamed(turns[0], iter(counts), start)
    if uneven:
        (stage,) = body
        assert isinstance(stage, RecoveredStage)
        body = (replace(stage, arguments={**stage.arguments, **uneven}),)
    variable = "i" if uneven or any(counts) else ""
    return Loop(variable, start, len(turns), body)


def names_in(chain: Chain) -> list[str | None]:
    """The label and the passed name of every stage, in order."""
    return [name for s in stages(chain) for name in (s.label, s.arguments.get("name"))]


def counted(labels: Sequence[str]) -> Count | None:
    """The one number that grows from label to label; None when that is not one, or uneven.

    A number with zeros before it (`conv01`) is a word: a loop would write it without them.
    """
    numbers = [NUMBERS.findall(label) for label in labels]
    grown = [(p, c) for p, c in enumerate(zip(*numbers, strict=True)) if len(set(c)) > 1]
    if len(grown) != 1 or any(text != str(int(text)) for text in grown[0][1]):
        return None
    place, column = grown[0][0], [int(text) for text in grown[0][1]]
    steps = {later - earlier for earlier, later in pairwise(column)}
    step = steps.pop()
    return Count(place, column[0], step) if not steps and step > 0 else None


def first_differs(first: Chain, second: Chain) -> dict[str, Any]:
    """The argument in which the first call differs from the others, as a condition on the turn."""
    a, b = first[0], second[0]
    if len(first) > 1 or not isinstance(a, RecoveredStage) or not isinstance(b, RecoveredStage):
        return {}
    return {
        name: Expression(f"{show(said(a, name))} if i == 0 else {show(said(b, name))}")
        for name, value in a.arguments.items()
        if name != "name" and not same(value, b.arguments[name])
    }


def said(stage: RecoveredStage, name: str) -> Any:
    """What an argument is, the stride of a pooling by its kernel too; None where it has none."""
    value = stage.arguments[name]
    if name != "stride" or value is not None:
        return value
    kernel = stage.arguments.get("kernel")
    return kernel[0] if isinstance(kernel, Extent) and len(set(kernel)) == 1 else kernel


def renamed(chain: Chain, counts: Iterator[Count | None], start: int) -> Chain:
    """The body of a loop, counting numbers in names written as expressions of the turn `i`."""
    found: list[Item] = []
    for item in chain:
        if not isinstance(item, RecoveredStage):
            found.append(replace(item, chain=renamed(item.chain, counts, start)))
            continue
        branches = tuple(renamed(branch, counts, start) for branch in item.branches)
        label = interpolated(item.label, next(counts), start)
        name = interpolated(item.arguments.get("name"), next(counts), start)
        arguments = dict(item.arguments)
        if isinstance(name, Expression):
            arguments["name"] = Expression(f'"{name}"')
        found.append(replace(item, branches=branches, label=label, arguments=arguments))
    return tuple(found)


def interpolated(name: str | None, count: Count | None, start: int) -> str | None:
    """A name with its counting number as an expression: `layer{i + 1}`."""
    if name is None or count is None:
        return name
    shift = count.first - count.step * start
    turn = "i" if count.step == 1 else f"{count.step} * i"
    rest = f" + {shift}" if shift > 0 else f" - {-shift}" if shift < 0 else ""
    match = list(NUMBERS.finditer(name))[count.place]
    return Expression(name[: match.start()] + "{" + turn + rest + "}" + name[match.end() :])
