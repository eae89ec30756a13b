"""The generated reference of all ops: `python -m netc.reference docs/ops.md` renews it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from compiler.bind import signature
from compiler.ops import OPS
from compiler.ops.arguments import show
from compiler.ops.base import Op, is_join, is_required, kind_of

GROUPS = {
    "windows": "Windows",
    "normalise": "Normalise",
    "activate": "Activate",
    "connect": "Connect",
    "shape": "Shape",
    "scale": "Scale",
}


def reference() -> str:
    """The whole page in Markdown."""
    parts = [
        "# The ops",
        "<!-- Generated from the op classes by `make docs`; a test keeps it current. -->",
        "Sizes are per sample: a tensor is [C], [C, L], [C, H, W] or [C, D, H, W], and the same op "
        "serves every rank. A joining op takes branches in braces or tensors by name.",
    ]
    for group, title in GROUPS.items():
        parts.append(f"## {title}")
        parts += [section(op) for op in OPS.values() if op.group == group]
    return "\n\n".join(parts) + "\n"


def section(op: type[Op]) -> str:
    """One op: how it is written, what it does, its parameters."""
    lines = [f"### `{usage(op)}`", "", inspect.getdoc(op) or ""]
    return "\n".join([*lines, *(["", *table] if (table := parameter_table(op)) else [])])


def usage(op: type[Op]) -> str:
    """How an op is written; joins take branches in braces."""
    return signature(op, op.name) + (" { … }" if is_join(op) else "")


def parameter_table(op: type[Any]) -> list[str]:
    """The lines of the table of an op's parameters; none without parameters."""
    rows = []
    for parameter in fields(op):
        default = parameter.metadata["default_text"] or (
            "required" if is_required(parameter) else f"`{show(parameter.default)}`"
        )
        rows.append(
            f"| `{parameter.name}` | {kind_of(parameter).words} | {default} | "
            f"{parameter.metadata['doc']} |"
        )
    head = ["| parameter | is | default | meaning |", "| --- | --- | --- | --- |"]
    return [*head, *rows] if rows else []


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
