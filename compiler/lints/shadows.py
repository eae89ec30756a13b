"""Rules about names that mean something else than they seem to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import name as character_name

from compiler.ops import OPS
from compiler.symbols.names import children, literal
from grammar import syntax as s
from grammar.diagnostics import Diagnostic

# Letters of other scripts that look like one of these: Cyrillic and Greek.
LOOKALIKES = dict(
    zip(
        "АВЕЅІЈКМНОРСТХУѕіјаеорсхуԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορν",
        "ABESIJKMHOPCTXYsijaeopcxydhqwABEZHIKMNOPTYXopv",
        strict=True,
    )
)


def shadowed_in_loops(file: s.File) -> Iterator[Diagnostic]:
    """W116: a name of a loop's body that stands outside of the loop as well, and stays as it is."""
    for item in file.items:
        if isinstance(item, s.Definition) and item.kind != "train":
            known = {parameter.name.id: parameter.name for parameter in item.parameters}
            yield from shadowed(item.body.statements, known, {})


def shadowed(
    statements: Iterable[s.Statement], known: dict[str, s.Name], outside: dict[str, s.Name]
) -> Iterator[Diagnostic]:
    """The shadows in a body; `known` are its names so far, `outside` those around its loop."""
    for statement in statements:
        match statement:
            case s.Let():
                for name in s.names_in(statement.names):
                    if name.id in outside:
                        yield shadow(name, outside[name.id], "let")
                    known[name.id] = name
            case s.Bind():
                for name in statement.names:
                    if name.id in outside and mentions(statement.chain, name.id):
                        yield shadow(name, outside[name.id], "tensor")
                    known[name.id] = name
            case s.For() | s.Repeat():
                yield from shadowed(statement.body.statements, dict(known), known | outside)
            case s.If():
                for body in (statement.then, statement.otherwise):
                    if body is not None:
                        yield from shadowed(body.statements, known, outside)


def mentions(root: s.Syntax, name: str) -> bool:
    """Whether a name stands somewhere below a node."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, s.Name) and node.id == name:
            return True
        waiting += children(node)
    return False


def shadow(name: s.Name, other: s.Name, kind: str) -> Diagnostic:
    """The warning of a name that starts anew in each turn of its loop."""
    help = "another name leaves no doubt"
    if kind == "tensor":
        help = "a chain on a line of its own flows from turn to turn"
    return Diagnostic.of(
        "W116",
        f"`{name.id}` starts anew in each turn of the loop",
        name.span,
        label=f"the `{name.id}` of line {other.span.line} stays as it is",
        help=help,
        severity="warning",
    )


def confusable_names(file: s.File) -> Iterator[Diagnostic]:
    """W118: a name that looks like one in plain letters, or like another name, and is not it."""
    if file.source.text.isascii():
        return
    nodes: list[s.Syntax] = list(file.items)
    found: list[tuple[str, s.Syntax]] = []
    for node in nodes:
        nodes += children(node)
        found += named(node)
    known = {word for word, _ in found} | set(OPS)
    for word, place in found:
        looks = "".join(LOOKALIKES.get(letter, letter) for letter in word)
        mixed = looks.isascii() and any(letter.isascii() and letter.isalpha() for letter in word)
        if looks == word or not (mixed or looks in known):
            continue
        strange = next(letter for letter in word if letter in LOOKALIKES)
        yield Diagnostic.of(
            "W118",
            f"`{word}` looks like `{looks}` and is another name",
            place.span,
            label=character_name(strange, "").lower(),
            help=f"write it in the letters of one script: {looks}",
            severity="warning",
        )


def named(node: s.Syntax) -> Iterator[tuple[str, s.Syntax]]:
    """The name that a node is, or that a label gives."""
    if isinstance(node, s.Name):
        yield node.id, node
    elif isinstance(node, s.Stage) and node.label is not None:
        word = literal(node.label)
        if word:
            yield word, node.label
