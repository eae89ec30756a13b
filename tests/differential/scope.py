"""What names mean while a drawn definition is run for its shapes, and its expressions' values.

The arithmetic of the language is Python's, so Python evaluates it.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from tests.differential.sizes import Invalid, Shape, Symbolic
from tests.differential.unrolled import Unrolled

COMPARISONS: Mapping[str, Any] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "In": lambda item, values: item in values,
    "NotIn": lambda item, values: item not in values,
}
BUILTINS: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "floor": math.floor,
    "ceil": math.ceil,
    "enumerate": lambda values: list(enumerate(values)),
    "zip": lambda *lists: list(zip(*lists, strict=False)),
    "range": lambda *numbers: list(range(*numbers)),
    "len": len,
    "min": min,
    "max": max,
    "sum": sum,
    "round": round,
    "sqrt": math.sqrt,
}


class Extent(tuple[int, ...]):
    """A size literal such as `3x3`."""


@dataclass(frozen=True)
class OpName:
    """An op as a value, maybe with an argument: what a block gets whose parameter it is."""

    name: str
    given: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """As a definition writes it: `relu`, `leaky_relu(slope=0.25)`."""
        return self.name + "".join(f"({key}={value})" for key, value in self.given)


# Ops that a parameter may be, by what is written.
OP_VALUES: Mapping[str, OpName] = {
    op.text: op
    for op in (
        OpName("relu"),
        OpName("tanh"),
        OpName("bn"),
        OpName("identity"),
        OpName("leaky_relu", (("slope", 0.25),)),
        OpName("elu", (("alpha", 0.5),)),
    )
}


class Sizes:
    """A tensor in an expression: `.c .d .h .w .shape .rank`."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.rank, self.c = list(shape), len(shape) - 1, shape[0]
        letters = {1: "w", 2: "hw", 3: "dhw"}.get(self.rank, "")
        for letter, size in zip(letters, shape[1:], strict=False):
            setattr(self, letter, size)


@dataclass
class Call:
    """One call of a block, or the net: what entered it, its labels and what they stand for.

    `file` holds the values and blocks of the file, which every call sees; `main` is the net.
    `unrolled` takes the layers, if they are wanted; `first` is the place of the call's first one,
    `twin` that of the call whose parameters this one uses (-1: its own), `places` are the labels'.
    `around` are the blocks and nets whose calls this one is in, its own among them.
    """

    file: Mapping[str, Any]
    entered: Shape | None = None
    main: bool = False
    labels: dict[str, Shape] = field(default_factory=dict)
    owners: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    unrolled: Unrolled | None = None
    first: int = 0
    twin: int = -1
    places: dict[str, int] = field(default_factory=dict)
    around: tuple[str, ...] = ()

    def next_place(self) -> int:
        """The place of the next layer."""
        return len(self.unrolled.layers) if self.unrolled is not None else 0

    def twin_of(self, like: str) -> int:
        """The place of what the next layer or call shares parameters with; -1 for nothing.

        `like` is the label that it names itself, else it is what the whole call shares with.
        """
        if like:
            return self.places.get(like, -1)
        return self.twin + self.next_place() - self.first if self.twin >= 0 else -1


@dataclass
class Scope:
    """Names between braces; `turns` are the variables of the loops around, "" for `repeat`."""

    call: Call
    parent: Scope | None = None
    values: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Shape] = field(default_factory=dict)
    turns: tuple[str, ...] = ()

    def inside(self, values: Mapping[str, Any] | None = None, *turns: str) -> Scope:
        """Between another pair of braces."""
        return Scope(self.call, self, dict(values or {}), {}, self.turns + turns)

    def copy(self) -> Scope:
        """The same names, to be added to apart."""
        call = Call(
            self.call.file,
            self.call.entered,
            self.call.main,
            dict(self.call.labels),
            dict(self.call.owners),
            dict(self.call.outputs),
            around=self.call.around,
        )
        return self._with(call)

    def _with(self, call: Call) -> Scope:
        parent = None if self.parent is None else self.parent._with(call)
        return Scope(call, parent, dict(self.values), dict(self.tensors), self.turns)

    def all_values(self) -> dict[str, Any]:
        """Every value that has a name here."""
        return (self.parent.all_values() if self.parent else dict(self.call.file)) | self.values

    def all_tensors(self) -> dict[str, Shape]:
        """Every tensor that has a name here, labels too."""
        outer = self.parent.all_tensors() if self.parent else dict(self.call.labels)
        return outer | self.tensors

    def evaluate(self, text: str) -> Any:
        """The value of an expression; raises `Invalid` where there is none."""
        names: dict[str, Any] = {n: Sizes(shape) for n, shape in self.all_tensors().items()}
        if self.call.entered is not None:
            names["in_"] = Sizes(self.call.entered)
        try:
            known = {"Extent": Extent, "decided": decided, **BUILTINS}
            return eval(compiled(text), known | names | self.all_values())
        except (ArithmeticError, LookupError):
            raise Invalid from None

    def label(self, text: str) -> str:
        """A label as it is written, interpolated."""
        return str(self.evaluate(f"f{text}")) if text.startswith('"') else text


@lru_cache(maxsize=4096)
def compiled(text: str) -> CodeType:
    """An expression of the language as Python's."""
    text = re.sub(r"\bin\.", "in_.", text)
    text = re.sub(r"\b\d+(?:x\d+)+\b", lambda size: f"Extent(({size[0].replace('x', ', ')}))", text)
    tree = Deciding().visit(ast.parse(text, mode="eval"))
    return compile(ast.fix_missing_locations(tree), "<expression>", "eval")


class Deciding(ast.NodeTransformer):
    """Comparisons become calls of `decided`."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        kinds = ast.Constant(" ".join(type(kind).__name__ for kind in node.ops))
        return ast.Call(ast.Name("decided", ast.Load()), [kinds, node.left, *node.comparators], [])


def decided(kinds: str, *parts: Any) -> bool:
    """A chain of comparisons; raises `Invalid` on symbolic sizes, which the compiler must prove."""
    if any(isinstance(part, Symbolic) for part in parts):
        raise Invalid
    triples = zip(kinds.split(), parts, parts[1:], strict=False)
    return all(COMPARISONS[kind](left, right) for kind, left, right in triples)
