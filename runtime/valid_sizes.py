"""Whether a sample has sizes that a network takes, said before the network runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from compiler.domain import Facts
from compiler.evaluate import Evaluator
from compiler.values import Mistake, Scope
from grammar.diagnostics import DefinitionError
from grammar.parse import parse_expression
from runtime.batches import Arrays
from runtime.errors import CallError
from runtime.inputs import InputSpec

Violated: TypeAlias = Callable[[Mapping[str, int]], list[str]]

FARTHEST = 1024  # how far from a size its valid neighbours are sought
WORDS = ("height", "width")


class SizeError(CallError):
    """A sample whose sizes are outside a network's valid domain."""


def violated_of(lines: Sequence[str]) -> Violated:
    """The check that a model's metadata stands for: conditions such as `H % 32 == 0`.

    Raises `CallError` for a line that is no condition; one over other symbols is left aside.
    """
    try:
        conditions = {line: parse_expression(line, "metadata") for line in lines}
    except (DefinitionError, Mistake):
        raise CallError("the model's valid sizes are no conditions") from None
    evaluator = Evaluator(Facts())

    def violated(sizes: Mapping[str, int]) -> list[str]:
        found = []
        for line, condition in conditions.items():
            try:
                if not evaluator.truth(condition, Scope(values=dict(sizes))):
                    found.append(line)
            except (Mistake, ArithmeticError):
                continue
        return found

    return violated


def check_sizes(specs: Sequence[InputSpec], violated: Violated, name: str, arrays: Arrays) -> None:
    """Raise `SizeError` when a sample's sizes are not valid; says which sizes nearby are."""
    sizes: dict[str, int] = {}
    words: dict[str, str] = {}
    for spec in specs:
        have = arrays[spec.name].shape[1:]
        for axis, (want, size) in enumerate(zip(spec.shape, have, strict=True)):
            if not isinstance(want, str) or not want.isidentifier():
                continue
            if sizes.setdefault(want, size) != size:
                raise SizeError(f"{name}: {want} is {sizes[want]} and {size} at once")
            rank = len(spec.shape)
            words[want] = WORDS[axis - rank] if rank > 1 and axis >= rank - 2 else want
    broken = violated(sizes)
    if not broken:
        return
    have_text = ", ".join(f"{symbol} = {size}" for symbol, size in sizes.items())
    message = f"{name} has {have_text}, but the network needs {' and '.join(broken)}"
    for symbol, size in sizes.items():
        near = neighbours(symbol, size, sizes, violated) if mentions(broken, symbol) else []
        if near:
            message += f"; the nearest valid {words[symbol]} is {' or '.join(map(str, near))}"
    raise SizeError(f"{message}; resize it, or say how in the definition: from picture(crop=…)")


def mentions(lines: Sequence[str], symbol: str) -> bool:
    """Whether conditions speak of a symbol."""
    return any(re.search(rf"\b{symbol}\b", line) for line in lines)


def neighbours(symbol: str, size: int, sizes: Mapping[str, int], violated: Violated) -> list[int]:
    """The nearest valid values of one symbol below and above, the others as they are."""
    found = []
    for step in (-1, 1):
        trial = range(size + step, size + step * FARTHEST, step)
        valid = (v for v in trial if v > 0 and not mentions(violated({**sizes, symbol: v}), symbol))
        found += [value for value in [next(valid, None)] if value is not None]
    return found
