"""The functions of the language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compiler.dims import Dim
from compiler.ops.arguments import show
from grammar.records import dataclass

MOST_ITEMS = 100_000


class BadCall(ValueError):
    """A built-in function called with something it does not take."""


@dataclass(frozen=True)
class Builtin:
    """A function of the language: how it is written, and what it does."""

    usage: str
    call: Callable[..., Any]

    def __str__(self) -> str:
        return self.usage


def _numbers(values: Sequence[Any]) -> Sequence[Any]:
    for value in values:
        if isinstance(value, Dim):
            raise BadCall(f"{value} is a symbolic size")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadCall(f"{show(value)} is no number")
    if not values:
        raise BadCall("there is nothing to choose from")
    return values


def _items(values: tuple[Any, ...]) -> Sequence[Any]:
    return values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values


def _range(*values: int) -> list[int]:
    if any(isinstance(v, bool) or not isinstance(v, int) for v in values):
        raise BadCall("whole numbers only")
    numbers = range(*values)
    if len(numbers) > MOST_ITEMS:
        raise BadCall(f"more than {MOST_ITEMS:_} numbers")
    return list(numbers)


def _sum(values: Any) -> Any:
    total: Any = 0
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | Dim):
            raise BadCall(f"{show(value)} is no number")
        total = total + value
    return total


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple | str):
        raise BadCall(f"{show(value)} is no list")
    return value


BUILTINS: Mapping[str, Builtin] = {
    "range": Builtin("range(stop), range(start, stop) or range(start, stop, step)", _range),
    "len": Builtin("len(list)", lambda value: len(_listed(value))),
    "min": Builtin("min(a, b, …) or min(list)", lambda *v: min(_numbers(_items(v)))),
    "max": Builtin("max(a, b, …) or max(list)", lambda *v: max(_numbers(_items(v)))),
    "sum": Builtin("sum(list)", lambda value: _sum(_listed(value))),
    "enumerate": Builtin("enumerate(list)", lambda value: list(enumerate(_listed(value)))),
    "zip": Builtin("zip(list, list)", lambda *v: list(zip(*map(_listed, v), strict=False))),
    "floor": Builtin(
        "floor(number)", lambda v: v if isinstance(v, Dim) else math.floor(_numbers([v])[0])
    ),
    "ceil": Builtin(
        "ceil(number)", lambda v: v if isinstance(v, Dim) else math.ceil(_numbers([v])[0])
    ),
    "round": Builtin(  # a half goes to the even neighbour, as in Python
        "round(number)", lambda v: v if isinstance(v, Dim) else round(_numbers([v])[0])
    ),
    "log": Builtin("log(number above 0)", lambda v: math.log(_numbers([v])[0])),
    "exp": Builtin("exp(number)", lambda v: math.exp(_numbers([v])[0])),
    "sqrt": Builtin("sqrt(number of at least 0)", lambda v: math.sqrt(_numbers([v])[0])),
}
