"""Rules about the names of a file: what is defined and never used."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.names import Definition, Names
from compiler.ops import OPS
from compiler.ops.base import Op
from compiler.resolve import resolve
from grammar import syntax as s
from grammar.diagnostics import Diagnostic


def unused_names(file: s.File) -> Iterator[Diagnostic]:
    """W103, W104, W105: labels, blocks and values, parameters that nothing in the file uses."""
    names = resolve(file)
    has_nets = any(definition.kind == "net" for definition in names.definitions)
    for definition in names.definitions:
        if any(use.role != "keyword" for use in names.uses_of(definition)):
            continue
        match definition.kind:
            case "label" if is_internal(definition):
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
    return Diagnostic(
        code,
        message,
        definition.span,
        label=f"nothing uses `{definition.name}`",
        help=help,
        severity="warning",
    )
