"""What the plain readings of other formats have alike; it shares nothing with the importers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Rule = TypeVar("Rule", bound=Callable[..., Any])


class Unsound(Exception):
    """A file that the program which the format is of would not take; the text says why."""


def entering(table: dict[str, Rule]) -> Callable[..., Callable[[Rule], Rule]]:
    """What enters a function in a table, as the meaning of the layer types that are named."""

    def rule(*types: str) -> Callable[[Rule], Rule]:
        def enter(function: Rule) -> Rule:
            table.update(dict.fromkeys(types, function))
            return function

        return enter

    return rule
