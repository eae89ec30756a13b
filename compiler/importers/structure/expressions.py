"""Numbers that vary from call to call of a block: parameters, and what follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from compiler.importers.numbered import numbered
from compiler.importers.structure.tree import BlockParameter, Expression
from grammar.records import dataclass

LARGEST_FACTOR = 64
COUNTS = frozenset({"channels", "units", "groups", "before", "after"})
PLACES = frozenset({"first", "last"})

Vector = tuple[Any, ...]  # the value in each call; None where the call lacks the layer


@dataclass
class Parameters:
    """The parameters of a block under construction, each with its value in every call.

    `entering` is the number of channels that enter each call, () when that is not known.
    """

    entering: Vector = ()
    vectors: dict[str, Vector] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def expression(self, role: str, vector: Vector, hint: str) -> Any:
        """What stands in the block's body: a constant, or an expression, perhaps a new parameter.

        `role` is the argument's name; `hint` is what a new parameter would be called.
        """
        known = [value for value in vector if value is not None]
        constant = all(same(value, known[0]) for value in known)
        if constant and not isinstance(known[0], Expression):
            return known[0]
        if family(role) in ("count", "place") and not any(isinstance(v, Expression) for v in known):
            beyond = tuple(v if v is None else v + 1 for v in vector) if role == "last" else vector
            found = self.derived(beyond)
            if found is not None:
                return Expression(f"{found} - 1") if role == "last" else found
        for name, other in self.vectors.items():
            if agree(vector, other) and self.roles[name] == family(role):
                return Expression(name)
        return self.new(role, vector, hint)

    def derived(self, vector: Vector, role: str = "channels") -> Expression | None:
        """A number that one of a role is, or is a whole multiple or part of, in every call."""
        counts = {n: v for n, v in self.vectors.items() if self.roles[n] == family(role)}
        if self.entering and family(role) == "count":
            counts = {"in.c": self.entering} | counts
        for name, other in counts.items():
            if agree(vector, other):
                return Expression(name)
        for name, other in counts.items():
            pairs = [(a, b) for a, b in zip(vector, other, strict=True) if a is not None]
            if any(not isinstance(n, int) or n < 1 for pair in pairs for n in pair):
                continue
            a, b = pairs[0]
            if a % b == 0 and a // b <= LARGEST_FACTOR and all(x == y * (a // b) for x, y in pairs):
                return Expression(f"{a // b} * {name}")
            if b % a == 0 and b // a <= LARGEST_FACTOR and all(y == x * (b // a) for x, y in pairs):
                return Expression(f"{name} // {b // a}")
        return None

    def new(self, role: str, vector: Vector, hint: str) -> Expression:
        """A new parameter."""
        name = numbered(hint, self.vectors)
        self.vectors[name] = vector
        self.roles[name] = family(role)
        return Expression(name)

    def declared(self) -> tuple[BlockParameter, ...]:
        """The parameters in the order of a signature: counts first, those with defaults last."""
        required: list[BlockParameter] = []
        optional: list[BlockParameter] = []
        for name, vector in self.vectors.items():
            usual = None if self.roles[name] in ("count", "place", "name") else common(vector)
            (optional if usual is not None else required).append(BlockParameter(name, usual))
        required.sort(key=lambda p: self.roles[p.name] != "count")
        return (*required, *optional)

    def arguments(self, call: int) -> dict[str, Any]:
        """The value of every parameter in one call."""
        found = {}
        for parameter in self.declared():
            values = self.vectors[parameter.name]
            unused = next((v for v in (parameter.default, *values) if v is not None), None)
            found[parameter.name] = unused if values[call] is None else values[call]
        return found


def family(role: str) -> str:
    """Arguments that may share a parameter: all counts of channels are of one family."""
    return "count" if role in COUNTS | {"count"} else "place" if role in PLACES else role


def same(a: Any, b: Any) -> bool:
    """Whether two arguments are the same: `3x3` is not `(3, 3)`, 1 is not true."""
    return type(a) is type(b) and bool(a == b)


def agree(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two vectors are equal where both have a value."""
    return all(x is None or y is None or same(x, y) for x, y in zip(a, b, strict=True))


def common(vector: Vector) -> Any:
    """The value of at least half of the calls that need one, and no expression; else None."""
    known = [v for v in vector if v is not None]
    plain = [v for v in known if not isinstance(v, Expression)]
    counted = Counter(map(repr, plain))
    if not counted:
        return None
    text, times = counted.most_common(1)[0]
    return next(v for v in plain if repr(v) == text) if 2 * times >= len(known) else None
