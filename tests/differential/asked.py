"""What the rules of the ops ask of arguments and sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.differential.sizes import Invalid, Shape, Size, Symbolic, value_of

Arguments: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[[Arguments, Shape], Shape]


def need(condition: bool) -> None:
    """Raise `Invalid` unless the condition holds."""
    if not condition:
        raise Invalid


def smallest(value: Any) -> int:
    """The least of the whole numbers in an argument, however they are nested."""
    if isinstance(value, list | tuple):
        return min(map(smallest, value))
    return value_of(value) if isinstance(value, int | Symbolic) else 1


def known(size: Size) -> int:
    """A size that must be a number."""
    if isinstance(size, Symbolic):
        raise Invalid
    return size


def dimensions(values: Any) -> tuple[int, ...]:
    """The lengths of nested lists."""
    return (len(values), *dimensions(values[0])) if isinstance(values, list) else ()
