"""Rules about the names of a file: what is defined and never used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.ops import OPS
from compiler.ops.base import Op
from compiler.symbols.names import Definition, Names, children, literal
from compiler.symbols.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import Diagnostic

TENSORS = ("tensor", "label", "input", "output")


def unused_names(file: s.File) -> Iterator[Diagnostic]:
    """W103, W104, W105: labels, blocks and values, parameters that nothing in the file uses."""
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
            case "block" | "let" | "used" if has_nets or definition.owner is not None:
                word = "block" if definition.kind == "block" else "value"
                yield unused("W104", definition, f"a {word} is never used", "leave it out")
            case "parameter" if not is_passed_along(definition, names):
                yield unused(
                    "W105", definition, "a parameter is never used", "use it, or leave it out"
                )


def interpolated(file: s.File) -> list[re.Pattern[str]]:
    """What the strings with interpolations of a file may name: `"p{l}"` is p and anything."""
    nodes: list[s.Syntax] = list(file.items)
    texts: set[tuple[str | None, ...]] = set()
    for node in nodes:
        nodes += children(node)
        if isinstance(node, s.Text) and literal(node) is None:
            texts.add(tuple(p if isinstance(p, str) else None for p in node.parts))
    return [re.compile("".join(".*" if p is None else re.escape(p) for p in t)) for t in texts]


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


def is_internal(definition: Definition) -> bool:
    """Whether a label is written without quotes on a layer that holds no parameters."""
    stage = definition.node
    if not isinstance(stage, s.Stage) or stage.callee is None or stage.label is None:
        return False
    op = OPS.get(stage.callee.id)
    holds_nothing = op is not None and op.weights is Op.weights
    return holds_nothing and not stage.label.span.text.startswith('"')


def is_passed_along(definition: Definition, names: Names) -> bool:
    """Whether a parameter is there because other blocks of the same signature have one.

    A block that is passed as an argument must take what the calls of its alternatives give.
    """
    owner = definition.owner
    return owner is not None and any(
        use.role == "name" and owner in use.definitions for use in names.uses
    )


def unused(code: str, definition: Definition, message: str, help: str) -> Diagnostic:
    """A warning at a name."""
    return Diagnostic.of(
        code,
        message,
        definition.span,
        label=f"nothing uses `{definition.name}`",
        help=help,
        severity="warning",
    )
