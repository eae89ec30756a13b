"""Rows of numbers that a constructor and `forward` both go through: an attribute of the class."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TypeAlias

from compiler.torch.lists import free
from compiler.torch.loops import tokens

SHORTEST = 12  # of rows that are said once, in words and signs
NAME = "rows"
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
    constructor: Lines, forward: Lines
) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """The line of a class that says such rows, and both without them; as they are without any."""
    rows = shared_rows(constructor, forward)
    if not rows:
        return "", [*constructor], [*forward]
    words = {word for text, _ in (*constructor, *forward) for word in re.findall(r"\w+", text)}
    name = free(NAME, [*words])
    first, second = (
        [
            (text.replace(rows, f"self.{name}"), comment) if " in " in text else (text, comment)
            for text, comment in lines
        ]
        for lines in (constructor, forward)
    )
    return f"{name} = {rows}", first, second
