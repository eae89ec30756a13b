"""Rules about the names of a file: unused ones, and what means something else than it seems to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from unicodedata import name as character_name

from compiler.ops import OPS
from compiler.ops.base import Op
from compiler.symbols.names import Makers, NameDefinition, Names, children, literal, spellings
from compiler.symbols.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import Diagnostic

TENSORS = ("tensor", "label", "input", "output")


def unused_names(file: s.File, trainings: Collection[str] = ()) -> Iterator[Diagnostic]:
    """W103, W104, W105: labels, blocks and values, parameters that nothing in the file uses.

    The `trainings` of other files that it names are trained as its own are.
    """
    names = resolve(file)
    patterns = interpolated(file)
    has_nets = any(definition.kind == "net" for definition in names.definitions)
    for definition in names.definitions:
        if any(use.role != "keyword" for use in names.uses_of(definition)):
            continue
        match definition.kind:
            case "label" if is_internal(definition):
                if any(pattern.fullmatch(definition.name) for pattern in patterns):
                    continue
                yield unused(
                    "W103",
                    definition,
                    "a label is never used",
                    f'leave it out, or quote it if it is for the outside: as "{definition.name}"',
                )
            case "used" if definition.name in trainings:
                continue
            case "block" | "let" | "used" if has_nets or definition.owner is not None:
                word = "block" if definition.kind == "block" else "value"
                yield unused("W104", definition, f"a {word} is never used", "leave it out")
            case "parameter" if not is_passed_along(definition, names):
                yield unused(
                    "W105", definition, "a parameter is never used", "use it, or leave it out"
                )


def interpolated(file: s.File) -> set[re.Pattern[str]]:
    """What the strings with interpolations of a file may name: `"p{l}"` is p and anything."""
    texts = (node for node in Makers(file).nodes if isinstance(node, s.Text))
    return {spellings(text) for text in texts if literal(text) is None}


def names_of_ops(file: s.File) -> Iterator[Diagnostic]:
    """W114: a stage that is a bare name, of a tensor and of a layer too, is the tensor."""
    names = resolve(file)
    blocks = {d.name for d in names.definitions if d.owner is None}
    for use in names.uses:
        made = use.definitions[0] if use.definitions else None
        if use.role != "callee" or made is None or made.kind not in TENSORS:
            continue
        if use.name in OPS or use.name in blocks:
            word = "layer" if use.name in OPS else "block"
            yield Diagnostic.of(
                "W114",
                f"`{use.name}` is a tensor here, not the {word}",
                use.span,
                label=f"the tensor of line {made.span.line} flows on from here",
                help=f"`{use.name}()` is the {word}; another name for the tensor leaves no doubt",
                severity="warning",
            )


def is_internal(definition: NameDefinition) -> bool:
    """Whether a label is written without quotes on a layer that holds no parameters."""
    stage = definition.node
    if not isinstance(stage, s.Stage) or stage.callee is None or stage.label is None:
        return False
    op = OPS.get(stage.callee.id)
    holds_nothing = op is not None and op.weights is Op.weights
    return holds_nothing and not stage.label.span.text.startswith('"')


def is_passed_along(definition: NameDefinition, names: Names) -> bool:
    """Whether a parameter is there because other blocks of the same signature have one.

    A block that is passed as an argument must take what the calls of its alternatives give.
    """
    owner = definition.owner
    return owner is not None and any(
        use.role == "name" and owner in use.definitions for use in names.uses
    )


def unused(code: str, definition: NameDefinition, message: str, help: str) -> Diagnostic:
    """A warning at a name."""
    return Diagnostic.of(
        code,
        message,
        definition.span,
        label=f"nothing uses `{definition.name}`",
        help=help,
        severity="warning",
    )


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
