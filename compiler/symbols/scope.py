"""What a name means where it stands: one rule for the editor, the checks and the unrolling.

Values (blocks, lets, parameters, loop names, symbols) and tensors (inputs, named chains, outputs,
labels) are told apart. In an expression a value wins. At the head of a stage that is a bare name a
tensor wins: behind an arrow an op of the language before it, since only a chain begins with a
tensor. `{ … }`, `for`, `repeat` and `seq` open a scope, `if` does not. A label belongs to the whole
body of its net or block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Generic, Self, TypeVar

from compiler.ops import OPS
from grammar.records import dataclass

Value = TypeVar("Value")
Tensor = TypeVar("Tensor")


@dataclass
class NameScope(Generic[Value, Tensor]):
    """Names between a pair of braces; what is not here is looked for in `parent`.

    What they stand for depends on who asks: definitions in the text, or values and tensors.
    """

    parent: Self | None = None
    values: dict[str, Value] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def value(self, name: str) -> Value | None:
        """The value called `name`."""
        if name in self.values:
            return self.values[name]
        return self.parent.value(name) if self.parent else None

    def has_value(self, name: str) -> bool:
        """Whether a value is called `name`."""
        return name in self.values or (self.parent is not None and self.parent.has_value(name))

    def tensor(self, name: str) -> Tensor | None:
        """The tensor called `name`."""
        if name in self.tensors:
            return self.tensors[name]
        return self.parent.tensor(name) if self.parent else None

    def in_expression(self, name: str) -> Value | Tensor | None:
        """What a name means in an expression."""
        return self.value(name) if self.has_value(name) else self.tensor(name)

    def at_head(self, name: str, *, bare: bool, first: bool) -> Value | Tensor | None:
        """What a name means at the head of a stage.

        It is `bare` without brackets and braces, and may be the `first` of its chain.
        """
        found = self.tensor(name) if bare and (first or name not in OPS) else None
        return self.value(name) if found is None else found

    def body(self) -> Self:
        """The names between the outermost braces of the net or block that this belongs to."""
        scope = self
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope

    def tensor_names(self) -> set[str]:
        """Every name of a tensor here."""
        return (self.parent.tensor_names() if self.parent else set()) | set(self.tensors)

    def names(self) -> set[str]:
        """Every name that means something here."""
        outer = self.parent.names() if self.parent else set()
        return outer | set(self.values) | set(self.tensors)


def automatic_label(counts: dict[str, int], word: str, taken: Callable[[str], bool]) -> str:
    """What the next layer without a label is called: its op or block and a count, `conv1`.

    `counts` are the last ones of each word, moved on here; a name that is `taken` is passed over.
    """
    while True:
        counts[word] = counts.get(word, 0) + 1
        if not taken(f"{word}{counts[word]}"):
            return f"{word}{counts[word]}"
