"""The generated reference of all ops: `python -m netc.reference docs/ops.md` renews it."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from compiler.bind import signature
from compiler.ops import OPS
from compiler.ops.arguments import show
from compiler.ops.base import Op, is_required, kind_of, parameters

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
    joins = " { … }" if op.most_inputs != 1 else ""
    lines = [f"### `{signature(op, op.name)}{joins}`", "", inspect.getdoc(op) or ""]
    rows = []
    for parameter in parameters(op):
        default = parameter.metadata["default_text"] or (
            "required" if is_required(parameter) else f"`{show(parameter.default)}`"
        )
        rows.append(
            f"| `{parameter.name}` | {kind_of(parameter).words} | {default} | "
            f"{parameter.metadata['doc']} |"
        )
    if rows:
        lines += ["", "| parameter | is | default | meaning |", "| --- | --- | --- | --- |", *rows]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
