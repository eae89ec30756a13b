"""Patterns over ONNX operators, and the ways in which a model matches them.

Patterns are nested: an operator's type and its arguments, a name for any tensor (the same name, the
same tensor or the same fixed numbers), a number for a constant, a tuple of patterns for any of
them. Sums and products match in either order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.importers.from_onnx.operators import OnnxModel, Operator
from grammar.records import dataclass

COMMUTATIVE = {"Add", "Mul"}


@dataclass(frozen=True)
class Make:
    """The pattern of an operator; `name` remembers it for what the idiom asks of it."""

    type: str
    arguments: tuple[Pattern, ...]
    name: str = ""


Pattern: TypeAlias = "Make | str | float | tuple[Pattern, ...]"
Bound = dict[str, Any]
Constants: TypeAlias = Mapping[str, NDArray[Any]]


def make(type: str, *arguments: Pattern, name: str = "") -> Make:
    """An operator in a pattern."""
    return Make(type, arguments, name)


@dataclass(frozen=True)
class Idiom:
    """A pattern, and the operator it is (type, inputs by pattern name, attributes), or None."""

    pattern: Make
    build: Callable[[Bound, Constants], tuple[str, tuple[str, ...], dict[str, Any]] | None]


class Matcher:
    """Patterns matched against the operators of one model."""

    def __init__(self, model: OnnxModel) -> None:
        self.made_by = {name: op for op in model.operators for name in op.outputs if name}
        self.constants = model.constants
        self.learned = model.learned or frozenset()

    def match(self, pattern: Pattern, tensor: str, bound: Bound) -> Iterator[Bound]:
        """Every way in which a tensor is made as the pattern says."""
        if isinstance(pattern, str):
            if self.same(bound.setdefault(pattern, tensor), tensor):
                yield bound
            return
        if isinstance(pattern, float):
            value = self.constants.get(tensor)
            if value is not None and value.size == 1 and np.isclose(value.item(), pattern, 1e-5):
                yield bound
            return
        if isinstance(pattern, tuple):
            for each in pattern:
                yield from self.match(each, tensor, dict(bound))
            return
        operator = self.made_by.get(tensor)
        if operator is None or operator.type != pattern.type:
            return
        if pattern.name and bound.setdefault(pattern.name, operator) is not operator:
            return
        orders = [operator.inputs]
        if operator.type in COMMUTATIVE:
            orders += permutations(operator.inputs)
        for order in orders:
            if len(order) >= len(pattern.arguments):
                yield from self.match_all(pattern.arguments, order, dict(bound))

    def same(self, tensor: str, other: str) -> bool:
        """Whether two tensors are one, or fixed numbers that an exporter wrote down twice."""
        if tensor == other:
            return True
        first, second = self.constants.get(tensor), self.constants.get(other)
        if first is None or second is None or {tensor, other} & self.learned:
            return False
        return (first.dtype, first.shape) == (second.dtype, second.shape) and np.array_equal(
            first, second
        )

    def match_all(
        self, patterns: tuple[Pattern, ...], tensors: tuple[str, ...], bound: Bound
    ) -> Iterator[Bound]:
        """Every way in which several tensors match several patterns."""
        if not patterns:
            yield bound
            return
        for found in self.match(patterns[0], tensors[0], dict(bound)):
            yield from self.match_all(patterns[1:], tensors[1:], found)


def first_match(matcher: Matcher, idioms: Sequence[Idiom], operator: Operator) -> Any:
    """What the operator is by the first idiom that it ends, if it ends one."""
    for idiom in idioms:
        if operator.type == idiom.pattern.type:
            for bound in matcher.match(idiom.pattern, operator.outputs[0], {}):
                built = idiom.build(bound, matcher.constants)
                if built is not None:
                    return built
    return None
