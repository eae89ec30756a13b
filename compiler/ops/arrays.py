"""Nested tuples of numbers: kernels and weights whose values the definition fixes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from compiler.ops.arguments import ArgumentError, Kind, number

DEEPEST = 6  # a tensor's axes; a 3-D kernel's weight has 5


def freeze(value: Any, depth: int = 0) -> Any:
    """A rectangular nested list of numbers as nested tuples of floats; the rest is refused."""
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError
        if depth == DEEPEST:
            raise ArgumentError(f"must nest at most {DEEPEST} levels")
        rows = tuple(freeze(v, depth + 1) for v in value)
        if len({nested_shape(row) for row in rows}) != 1:
            raise ArgumentError("must have rows of equal length")
        return rows
    return number(value)


def nested_shape(values: Any) -> tuple[int, ...]:
    """The shape of nested tuples of numbers: `((1, 2, 3), (4, 5, 6))` is (2, 3)."""
    if isinstance(values, tuple):
        return (len(values), *nested_shape(values[0]))
    return ()


def nested_sum(values: Any) -> float:
    """The sum of all the numbers in nested tuples."""
    return sum(map(nested_sum, values)) if isinstance(values, tuple) else values


def nested_map(function: Callable[[float], float], values: Any) -> Any:
    """Nested tuples with `function` applied to every number."""
    if isinstance(values, tuple):
        return tuple(nested_map(function, v) for v in values)
    return function(values)


def _kernel_values(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise TypeError
    return freeze(value)


KERNEL_VALUES = Kind("a nested list of numbers, one level for each spatial axis", _kernel_values)


def _optional_values(value: Any) -> Any:
    return None if value is None else freeze(value)


FIXED_VALUES = Kind("a nested list of numbers of the weight's shape", _optional_values)


TENSOR_VALUES = Kind("a nested list of numbers, one level for each axis", _optional_values)
