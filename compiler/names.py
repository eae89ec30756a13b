"""What the names of a file stand for: definitions, and the places that use them.

`compiler.resolve.resolve(file)` finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from grammar import syntax as s
from grammar.source import Span

Kind = Literal[
    "block",
    "net",
    "train",
    "let",
    "used",  # a name that `use` brings from another file
    "parameter",
    "loop",  # a name of `for`
    "symbol",  # a size of an input that nothing else defines
    "input",
    "data",  # a part of a sample, of a training
    "noise",
    "tensor",  # `name = chain`
    "output",
    "label",
    "pattern",  # a label with an interpolation; its name is the text between the quotes
]
Role = Literal["name", "keyword", "text", "callee"]


@dataclass(frozen=True, eq=False)
class Definition:
    """A name and what it stands for: `node` is its statement, stage, parameter or loop.

    `span` covers the name alone, quotes left out; `visible` is where it can be used; `owner` is
    the block or net it belongs to, None at the top of a file.
    """

    kind: Kind
    name: str
    span: Span
    visible: Span
    node: s.Syntax
    owner: Definition | None


@dataclass(frozen=True, eq=False)
class Use:
    """A place where a name stands for something.

    `definitions` are empty for an op, a built-in function and an unknown name; there are several
    when the branches of an `if` define the same name. A keyword of a call has the `callee`'s
    definitions beside it, since its parameter may stand in another file. A `callee` names a stage.
    """

    name: str
    span: Span
    role: Role
    definitions: tuple[Definition, ...]
    callee: tuple[Definition, ...] = ()


@dataclass(frozen=True)
class Names:
    """Every name of a file, in the order of the text."""

    definitions: tuple[Definition, ...]
    uses: tuple[Use, ...]

    def at(self, offset: int) -> Definition | Use | None:
        """The shortest name that covers an offset, else one that ends there."""
        places: list[Definition | Use] = [*self.definitions, *self.uses]
        covering = [p for p in places if p.span.start <= offset <= p.span.end]
        return min(
            covering,
            key=lambda p: (p.span.end == offset, p.span.end - p.span.start),
            default=None,
        )

    def uses_of(self, *definitions: Definition) -> tuple[Use, ...]:
        """The places that mean one of these definitions."""
        return tuple(u for u in self.uses if any(d in definitions for d in u.definitions))

    def visible(self, offset: int) -> tuple[Definition, ...]:
        """What can be named at an offset; the innermost comes last."""
        return tuple(d for d in self.definitions if d.visible.start <= offset <= d.visible.end)


def children(node: s.Syntax) -> Iterator[s.Syntax]:
    """The nodes right below a node, in the order of its fields."""
    for each in fields(node):
        value = getattr(node, each.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, s.Syntax):
                yield part


def made_later(within: s.Syntax | s.File, name: str, offset: int) -> s.Syntax | None:
    """The first statement or label, not over at an offset, that gives something a name."""
    nodes: list[s.Syntax] = list(within.items) if isinstance(within, s.File) else [within]
    found: list[s.Syntax] = []
    while nodes:
        node = nodes.pop()
        nodes += children(node)
        named = node.name.id if isinstance(node, s.Bind | s.Let | s.Definition | s.Assign) else None
        if isinstance(node, s.Stage) and node.label is not None:
            named = literal(node.label)
        if named == name and node.span.end > offset:
            found.append(node)
    return min(found, key=lambda node: node.span.start, default=None)


def literal(text: s.Text) -> str | None:
    """The characters of a string without interpolations; None when it has any."""
    parts = [part for part in text.parts if isinstance(part, str)]
    return "".join(parts) if len(parts) == len(text.parts) else None


def unquoted(text: s.Text) -> Span:
    """The place of a label or string without its quotes."""
    quoted = int(text.span.text.startswith('"'))
    return Span(text.span.source, text.span.start + quoted, text.span.end - quoted)
