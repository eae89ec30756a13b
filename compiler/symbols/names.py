"""What the names of a file stand for: definitions, and the places that use them.

`compiler.symbols.resolve.resolve(file)` finds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from grammar import syntax as s
from grammar.records import dataclass
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
class NameDefinition:
    """A name and what it stands for: `node` is its statement, stage, parameter or loop.

    `span` covers the name alone, quotes left out; `visible` is where it can be used; `owner` is
    the block or net it belongs to, None at the top of a file.
    """

    kind: Kind
    name: str
    span: Span
    visible: Span
    node: s.Syntax
    owner: NameDefinition | None


@dataclass(frozen=True, eq=False)
class Reference:
    """A place where a name stands for something.

    `definitions` are empty for an op, a built-in function and an unknown name; there are several
    when the branches of an `if` define the same name. A keyword of a call has the `callee`'s
    definitions beside it, since its parameter may stand in another file. A `callee` names a stage.
    """

    name: str
    span: Span
    role: Role
    definitions: tuple[NameDefinition, ...]
    callee: tuple[NameDefinition, ...] = ()


@dataclass(frozen=True)
class Names:
    """Every name of a file, in the order of the text."""

    definitions: tuple[NameDefinition, ...]
    uses: tuple[Reference, ...]

    def at(self, offset: int) -> NameDefinition | Reference | None:
        """The shortest name that covers an offset, else one that ends there."""
        places: list[NameDefinition | Reference] = [*self.definitions, *self.uses]
        covering = [p for p in places if p.span.start <= offset <= p.span.end]
        return min(
            covering,
            key=lambda p: (p.span.end == offset, p.span.end - p.span.start),
            default=None,
        )

    def uses_of(self, *definitions: NameDefinition) -> tuple[Reference, ...]:
        """The places that mean one of these definitions, in the order of the text."""
        places = {place for d in definitions for place in self._places.get(d, ())}
        return tuple(self.uses[place] for place in sorted(places))

    @cached_property
    def _places(self) -> dict[NameDefinition, list[int]]:
        """Which of the uses mean a definition."""
        found: dict[NameDefinition, list[int]] = {}
        for place, use in enumerate(self.uses):
            for definition in use.definitions:
                found.setdefault(definition, []).append(place)
        return found

    def visible(self, offset: int) -> tuple[NameDefinition, ...]:
        """What can be named at an offset; the innermost comes last."""
        return tuple(d for d in self.definitions if d.visible.start <= offset <= d.visible.end)


def children(node: s.Syntax) -> Iterator[s.Syntax]:
    """The nodes right below a node, in the order of its fields."""
    for name in node.__match_args__:
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, s.Syntax):
                yield part


@dataclass(frozen=True, eq=False)
class Makers:
    """The statements and labels of a file or a definition by the names that they give."""

    within: s.Syntax | s.File

    @cached_property
    def nodes(self) -> tuple[s.Syntax, ...]:
        """Everything in it, in the order of the text; found in one walk, when first asked for."""
        waiting: list[s.Syntax] = [self.within] if isinstance(self.within, s.Syntax) else []
        waiting += self.within.items if isinstance(self.within, s.File) else ()
        found = []
        while waiting:
            found.append(node := waiting.pop())
            waiting += children(node)
        return tuple(sorted(found, key=lambda node: node.span.start))

    @cached_property
    def by_name(self) -> dict[str, list[s.Syntax]]:
        """Those of each name in the order of the text."""
        found: dict[str, list[s.Syntax]] = {}
        for node in self.nodes:
            for name in names_given(node):
                found.setdefault(name, []).append(node)
        return found

    def later(self, name: str, offset: int) -> s.Syntax | None:
        """The first that gives something this name and is not over at an offset.

        A label that begins with letters and interpolates gives any name that it may spell.
        """
        makers = self.by_name.get(name) or [
            node
            for node in self.nodes
            if isinstance(node, s.Stage)
            and isinstance(node.label, s.Text)
            and literal(node.label) is None
            and isinstance(node.label.parts[0], str)
            and spellings(node.label).fullmatch(name)
        ]
        return next((node for node in makers if node.span.end > offset), None)


def names_given(node: s.Syntax) -> list[str]:
    """The names that a statement or a stage itself gives."""
    match node:
        case s.Bind():
            return [name.id for name in node.names]
        case s.Let():
            return [name.id for name in s.names_in(node.names)]
        case s.Definition() | s.Function() | s.Assign():
            return [node.name.id]
        case s.Stage(label=s.Text() as label):
            name = literal(label)
            return [] if name is None else [name]
    return []


def spellings(text: s.Text) -> re.Pattern[str]:
    """What a string that interpolates may spell: `"layer{s}.{i}"` is `layer`, something, …"""
    return re.compile("".join(re.escape(p) if isinstance(p, str) else ".*" for p in text.parts))


def literal(text: s.Text) -> str | None:
    """The characters of a string without interpolations; None when it has any."""
    parts = [part for part in text.parts if isinstance(part, str)]
    return "".join(parts) if len(parts) == len(text.parts) else None


def unquoted(text: s.Text) -> Span:
    """The place of a label or string without its quotes."""
    quoted = int(text.span.text.startswith('"'))
    return Span(text.span.source, text.span.start + quoted, text.span.end - quoted)
