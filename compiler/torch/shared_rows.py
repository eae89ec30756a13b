"""Rows of numbers that a constructor and `forward` both go through: a constant above the class."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeAlias

from compiler.torch.alike import tokens

SHORTEST = 12  # of rows that are said once, in words and signs
Lines: TypeAlias = Sequence[tuple[str, str]]


def shared_rows(constructor: Lines, forward: Lines) -> str:
    """The longest rows that loops of both go through; empty where there are none."""
    both = rows_in(constructor) & rows_in(forward)
    return max(both, key=len, default="")


def rows_in(lines: Lines) -> set[str]:
    """The rows that loops go through, as they are written."""
    found: set[str] = set()
    for text, _ in lines:
        if not text.lstrip().startswith("for "):
            continue
        loop = ast.parse(f"{text.strip()} ...").body[0]
        values = loop.iter if isinstance(loop, ast.For) else None
        if isinstance(values, ast.Call) and values.args:
            values = values.args[0]
        if isinstance(values, ast.Tuple) and tokens([values]) >= SHORTEST:
            found.add(ast.unparse(values))
    return found


def with_rows_once(
    constructor: Lines, forward: Lines, name: str
) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """The line that gives such rows a name, and both with it; as they are without any."""
    rows = shared_rows(constructor, forward)
    if not rows:
        return "", [*constructor], [*forward]
    first, second = (
        [
            (text.replace(rows, name), comment) if " in " in text else (text, comment)
            for text, comment in lines
        ]
        for lines in (constructor, forward)
    )
    return f"{name} = {rows}", first, second
