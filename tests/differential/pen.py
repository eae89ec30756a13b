"""What draws: hypothesis' choices under short names, fresh names, and what is left to spend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from tests.differential.tree import Block

T = TypeVar("T")


class Draw(Protocol):
    """What takes a value from a strategy: `st.DrawFn`, or the `draw` of `st.data()`."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T: ...


@lru_cache
def between(least: int, most: int) -> st.SearchStrategy[int]:
    """Whole numbers; `st.integers` would mostly give the small ones of a range."""
    return st.sampled_from(range(least, most + 1))


class Pen:
    """Draws from hypothesis; every choice shrinks to the first option, to "no", to the least."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.blocks: list[Block] = []
        self.forks: list[Block] = []  # with two results
        self.file: dict[str, object] = {}
        self.left = self.whole(1, 20)  # stages still to be drawn
        self.wordy = self.whole(0, 2)  # how often a number becomes an expression
        self._counts: Counter[str] = Counter()

    def whole(self, least: int, most: int) -> int:
        """A whole number, both ends included, each as likely as the others."""
        return self.draw(between(least, most))

    def one(self, options: Sequence[T]) -> T:
        """One of several; the first is the simplest."""
        return self.draw(st.sampled_from(options))

    def chance(self, among: int) -> bool:
        """Yes in one case of so many."""
        return self.whole(0, among - 1) == among - 1

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in any order."""
        return self.draw(st.permutations(items))

    def each(self, least: int, most: int, count: int) -> list[int]:
        """Several whole numbers."""
        return [self.whole(least, most) for _ in range(count)]

    def name(self, stem: str) -> str:
        """A name that nothing has yet."""
        self._counts[stem] += 1
        return f"{stem}{self._counts[stem] - 1}"

    def spend(self) -> bool:
        """Whether one more stage may be drawn."""
        self.left -= 1
        return self.left >= 0
