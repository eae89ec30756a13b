"""`compile --emit`: what a stage made, as text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from compiler.ops.base import show_shape
from compiler.symbols.modules import Module
from grammar.source import Span
from netc.net import Net


def emit_text(stage: str, made: Any) -> str:
    """The syntax tree of a module, or the graph or the shapes of a net."""
    if stage == "ast":
        assert isinstance(made, Module)
        return "\n".join(tree_lines(item, 0) for item in made.file.items)
    assert isinstance(made, Net)
    graph = made.graph
    if stage == "shapes":
        return "\n".join(f"{node.name}: {show_shape(node.shape)}" for node in graph.nodes())
    lines = [f"{node.name} = {node.op}({', '.join(node.inputs)})" for node in graph.nodes()]
    return "\n".join([*lines, *(f"output {name} = {node}" for name, node in graph.outputs.items())])


def tree_lines(node: Any, depth: int) -> str:
    """A syntax node, indented, its children below it."""
    indent = "  " * depth
    if isinstance(node, tuple):
        return "\n".join(tree_lines(child, depth) for child in node) or f"{indent}()"
    if not is_dataclass(node):
        return f"{indent}{node!r}"
    rows = [f"{indent}{type(node).__name__}"]
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Span) or value is None or value == ():
            continue
        if is_dataclass(value) or isinstance(value, tuple):
            rows += [f"{indent}  {field.name}:", tree_lines(value, depth + 2)]
        else:
            rows.append(f"{indent}  {field.name}: {value!r}")
    return "\n".join(rows)
