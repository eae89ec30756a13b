"""A net called in a training: its symbols become the sizes of what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.elaborate import elaborate
from compiler.graph import Graph
from compiler.symbols.modules import Closure
from compiler.values import Mistake, Silenced, Tensor
from grammar import syntax as s
from grammar.source import Span


class NetBroken(Exception):
    """A called net has mistakes of its own, in `diagnostics`."""

    def __init__(self, diagnostics: tuple[Any, ...]) -> None:
        super().__init__("a called net has mistakes")
        self.diagnostics = diagnostics


def bound_sizes(net: Closure, tensors: list[Tensor], span: Span) -> dict[str, int]:
    """The numbers that the symbols of a net's inputs become; raises E504 for another count."""
    statements = net.definition.body.statements
    if any(isinstance(st, s.Broken) for st in statements):
        raise Silenced
    inputs = [st for st in statements if isinstance(st, s.InputDeclaration)]
    if len(inputs) != len(tensors):
        word = "input" if len(inputs) == 1 else "inputs"
        raise Mistake(
            "E504",
            f"net {net.name} has {len(inputs)} {word}",
            span,
            label=f"{len(tensors)} tensors are given",
            help=f"{net.name}({', '.join(st.name.id for st in inputs)})",
        )
    parameters = {parameter.name.id for parameter in net.definition.parameters}
    found: dict[str, int] = {}
    for statement, tensor in zip(inputs, tensors, strict=True):
        for size, have in zip(statement.shape.sizes, tensor.shape, strict=False):
            is_symbol = isinstance(size, s.Name) and not net.scope.has_value(size.id)
            if is_symbol and isinstance(size, s.Name) and size.id not in parameters:
                assert isinstance(have, int)
                found.setdefault(size.id, have)
    return found


def called_graph(
    net: Closure, overrides: Mapping[str, Any], sizes: Mapping[str, int], span: Span
) -> Graph:
    """The net's graph for these sizes; raises `NetBroken` with its mistakes."""
    elaborated = elaborate(net, overrides, sizes)
    if elaborated.diagnostics:
        raise NetBroken(elaborated.diagnostics)
    if elaborated.damaged:
        raise Silenced
    return elaborated.graph
