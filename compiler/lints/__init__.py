"""Warnings: what is allowed, but is seldom meant.

Each rule is a function from a checked net (or from a file, for its names) to its warnings;
`RULES` lists those of nets. A warning is silenced on its line, or from the line above, by a
comment: `# netc: allow W101, W107`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from compiler.lints.context import LintContext
from compiler.lints.layers import (
    arguments_of_other_tools,
    bias_before_norm,
    dominant_dense,
    dropped_pixels,
    join_of_one_branch,
    kernel_wider_than_map,
    same_is_not_half,
    two_nonlinearities,
)
from compiler.lints.names import confusable_names, names_of_ops, shadowed_in_loops, unused_names
from compiler.lints.network import foreign_shapes, unused_tensor
from grammar.diagnostics import Diagnostic
from grammar.source import Source
from grammar.syntax import File

__all__ = ["RULES", "LintContext", "lint", "lint_names"]

RULES: tuple[Callable[[LintContext], Iterable[Diagnostic]], ...] = (
    dropped_pixels,
    bias_before_norm,
    two_nonlinearities,
    same_is_not_half,
    kernel_wider_than_map,
    dominant_dense,
    unused_tensor,
    join_of_one_branch,
    foreign_shapes,
    arguments_of_other_tools,
)

ALLOW = re.compile(r"#\s*netc:\s*allow\s+(W\d+(?:[\s,]+W\d+)*)")


def lint(context: LintContext) -> list[Diagnostic]:
    """The warnings of a net."""
    return kept(warning for rule in RULES for warning in rule(context))


def lint_names(file: File, trainings: Collection[str] = ()) -> list[Diagnostic]:
    """The warnings of a file, whatever its nets make of it; `trainings` are those that it uses."""
    rules = (names_of_ops, shadowed_in_loops, confusable_names)
    others = (warning for rule in rules for warning in rule(file))
    return kept([*unused_names(file, trainings), *others])


def kept(warnings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One warning for each rule and place, those that comments allow left out."""
    found: dict[tuple[str, int], Diagnostic] = {}
    allowed: dict[tuple[int, int], set[str]] = {}  # a line may have thousands of warnings
    for warning in warnings:
        source, line = warning.span.source, warning.span.line
        place = (id(source), line)
        if place not in allowed:
            allowed[place] = allowed_on(source, line)
        if warning.code not in allowed[place]:
            found.setdefault((warning.code, warning.span.start), warning)
    return list(found.values())


def allowed_on(source: Source, line: int) -> set[str]:
    """The codes that a comment on a line, or alone on the line above it, allows."""
    comments = [source.line(line)]
    if line > 1 and source.line(line - 1).lstrip().startswith("#"):
        comments.append(source.line(line - 1))
    matches = filter(None, map(ALLOW.search, comments))
    return {code for match in matches for code in re.findall(r"W\d+", match.group(1))}
