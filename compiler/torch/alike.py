"""Statements and elements that differ in numbers alone, and how long they are.

These are the numbers that stand for themselves and those in names of members, `self.block4` and
`self["layer4"]`. Each has its place, at which a copy may have an expression.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, TypeAlias

from grammar.records import dataclass

WORDS = re.compile(r"\"[^\"]*\"|'[^']*'|\d[\w.]*|\w+|[^\w\s]")
LIMITS = (("count",), ("first", "last"))  # what a range is given
PARAMETERS = {
    **{
        f"{kind}{rank}d": ("in_channels", "out_channels", "kernel_size", "stride", "padding")
        for kind in ("Conv", "ConvTranspose")
        for rank in (1, 2, 3)
    },
    **{f"BatchNorm{rank}d": ("num_features",) for rank in (1, 2, 3)},
    "Linear": ("in_features", "out_features"),
}
Signatures: TypeAlias = Mapping[str, Mapping[str, Any]]  # of classes: parameters with defaults
INDEX = "index"  # what a number in square brackets is called


@dataclass
class Holes:
    """What differs between things that are alike: the numbers, and what each is called."""

    signatures: Mapping[str, Sequence[str]]
    values: list[Any] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    in_names: list[bool] = field(default_factory=list)

    def skeleton(self, node: Any, word: str = "c") -> str:
        """A node without its numbers, which are put down in order."""
        value = number_of(node)
        if value is not None:
            return self.hole(value, word, in_name=False)
        match node:
            case ast.Constant(value=str() as text):
                return f"'{self.parts(text, word)}'"
            case ast.Attribute() if rooted_in_self(node):
                return f"{self.skeleton(node.value, word)}.{self.parts(node.attr, word)}"
            case ast.Subscript(value=holder, slice=index):
                return f"{self.skeleton(holder, word)}[{self.skeleton(index, INDEX)}]"
            case ast.Call():
                name = called(node.func)
                known = (
                    LIMITS[len(node.args) > 1] if name == "range" else self.signatures.get(name, ())
                )
                words = [*known, *[word] * len(node.args)]
                parts = [self.skeleton(node.func, word)]
                parts += map(self.skeleton, node.args, words)
                parts += [f"{k.arg}={self.skeleton(k.value, k.arg or word)}" for k in node.keywords]
                return f"Call({','.join(parts)})"
            case ast.AST():
                word = "first" if is_counted(node) else word
                parts = [self.skeleton(getattr(node, name, None), word) for name in node._fields]
                return f"{type(node).__name__}({','.join(parts)})"
            case list():
                return f"[{','.join(self.skeleton(each, word) for each in node)}]"
        return repr(node)

    def parts(self, text: str, word: str) -> str:
        """A name without its numbers."""
        pieces = pieces_of(text)
        return "".join(
            piece if isinstance(piece, str) else self.hole(piece, word, in_name=True)
            for piece in pieces
        )

    def hole(self, value: Any, word: str, *, in_name: bool) -> str:
        """A number's place."""
        self.values.append(value)
        self.words.append(word)
        self.in_names.append(in_name)
        return "#"


@dataclass
class Alike:
    """A thing that may be told from others by its numbers: a run of statements, or an element."""

    nodes: list[Any]
    key: str
    values: list[Any]
    words: list[str]
    in_names: list[bool]
    parts: Sequence[Alike] = ()  # of several statements
    shorter: Alike | None = None  # the same with nothing said that goes without saying

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in it."""
        parts = [part.names for part in self.parts] or map(names_in, self.nodes)
        return frozenset().union(*parts)

    @cached_property
    def length(self) -> int:
        """How long it is, in words and signs."""
        if self.shorter is not None:
            return self.shorter.length
        return sum(part.length for part in self.parts) if self.parts else tokens(self.nodes)


def words_of(signatures: Signatures) -> dict[str, Sequence[str]]:
    """What the arguments of the classes are called, of PyTorch's too."""
    return {**PARAMETERS, **{name: [*known] for name, known in signatures.items()}}


def alike_of(nodes: Sequence[Any], signatures: Mapping[str, Sequence[str]]) -> Alike:
    """Nodes with their numbers apart."""
    holes = Holes(signatures)
    key = ";".join(holes.skeleton(node) for node in nodes)
    return Alike([*nodes], key, holes.values, holes.words, holes.in_names)


def number_of(node: Any) -> int | float | None:
    """The number that a node is."""
    if not isinstance(node, ast.Constant | ast.UnaryOp):
        return None
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return None if isinstance(value, bool) else -value
    return None


def pieces_of(text: str) -> list[str | int]:
    """A name as what stands between its numbers, and these."""
    found = re.split(r"(\d+)", text)
    whole = all(str(int(part)) == part for part in found[1::2])
    if not whole:
        return [text]
    return [int(part) if place % 2 else part for place, part in enumerate(found)]


def rooted_in_self(node: ast.expr) -> bool:
    """Whether it is a member of the module, or a member's."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "self"


def is_counted(node: ast.AST) -> bool:
    """Whether it is `i + 3`: what a counter begins with, and the counter."""
    match node:
        case ast.BinOp(left=ast.Name(), op=ast.Add(), right=ast.Constant()):
            return True
    return False


def called(function: ast.expr) -> str:
    """The name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


class Filled(ast.NodeTransformer):
    """A copy of a node with expressions in the places of its numbers, in the order of `Holes`."""

    def __init__(self, given: Iterator[ast.expr | int | float]) -> None:
        self.given = given

    def visit(self, node: Any) -> Any:
        """A node."""
        if number_of(node) is not None:
            return expression_of(next(self.given))
        match node:
            case ast.Constant(value=str() as text):
                return self.text(text)
            case ast.Attribute() if rooted_in_self(node):
                holder, name = self.visit(node.value), self.text(node.attr)
                if isinstance(name, ast.Constant):
                    return ast.Attribute(holder, str(name.value), node.ctx)
                return ast.Call(ast.Name("getattr"), [holder, name], [])
            case ast.Assign(targets=[ast.Attribute() as target]):
                place, value = self.visit(target), self.visit(node.value)
                if isinstance(place, ast.Attribute):
                    return ast.Assign([place], value, lineno=0)
                return ast.Expr(ast.Call(ast.Name("setattr"), [*place.args, value], []))
            case ast.AST():
                parts = {part: self.visit(getattr(node, part, None)) for part in node._fields}
                copy = type(node)(**parts)
                copy.lineno = 0  # type: ignore[attr-defined]
                return copy
            case list():
                return [self.visit(each) for each in node]
        return node

    def text(self, text: str) -> ast.expr:
        """A text, with braces where its numbers are expressions."""
        parts: list[str | ast.expr] = []
        for piece in pieces_of(text):
            value = piece if isinstance(piece, str) else next(self.given)
            value = value if isinstance(value, ast.expr) else str(value)
            if isinstance(value, str) and parts and isinstance(parts[-1], str):
                parts[-1] += value
            else:
                parts.append(value)
        if all(isinstance(part, str) for part in parts):
            return ast.Constant("".join(map(str, parts)))
        return ast.JoinedStr(
            [
                ast.Constant(part) if isinstance(part, str) else ast.FormattedValue(part, -1)
                for part in parts
                if part != ""
            ]
        )


def number(value: Any) -> ast.expr:
    """A number as it is written."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def expression_of(value: ast.expr | int | float) -> ast.expr:
    """A number as Python writes it."""
    return value if isinstance(value, ast.expr) else number(value)


def names_in(node: ast.AST) -> set[str]:
    """The names in a node."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def is_made(node: ast.AST) -> bool:
    """Whether something is called in a node."""
    return any(isinstance(each, ast.Call) for each in ast.walk(node))


def tokens(nodes: Sequence[Any]) -> int:
    """How long nodes are, in words and signs."""
    return sum(len(WORDS.findall(ast.unparse(node))) for node in nodes)


def joined(parts: Sequence[Alike]) -> Alike:
    """Several statements as one thing."""
    return Alike(
        [node for part in parts for node in part.nodes],
        ";".join(part.key for part in parts),
        [value for part in parts for value in part.values],
        [word for part in parts for word in part.words],
        [named for part in parts for named in part.in_names],
        parts,
    )
