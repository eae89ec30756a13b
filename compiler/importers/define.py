"""An imported graph as a definition, proved: its text is compiled and compared with the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain import Facts
from compiler.driver import Checked, check_net, load
from compiler.graph import Graph, Input, Node
from compiler.importers.imported import Imported
from compiler.importers.structure.recover import recover
from compiler.importers.structure.text import write
from compiler.importers.structure.tree import RecoveredNet
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.format import format_file
from grammar.parse import parse
from grammar.records import dataclass
from grammar.source import Source

TOO_MUCH, TOO_LONG = "E209", "E104"


class Unequal(Exception):
    """A definition whose graph is not the one it was written for."""


@dataclass(frozen=True)
class Defined:
    """A definition's text, and its checked net with the original's numbers where there are any.

    `originals` gives for each layer of the net the one of the imported graph that it is.
    """

    text: str
    checked: Checked
    originals: Mapping[str, str]

    @property
    def graph(self) -> Graph:
        """The net's graph."""
        return self.checked.graph


def define(imported: Imported) -> Defined:
    """The definition of an imported graph, its layers called as the source calls them.

    The text is compiled and its graph compared with the imported one, layer by layer. Should a
    recovered structure not pass, the same net is written without blocks. Raises
    `DefinitionError` for a net that no file of a definition holds.
    """
    try:
        return checked(imported, recover(imported))
    except (Unequal, DefinitionError):
        pass
    try:
        return checked(imported, recover(imported, most_blocks=0))
    except DefinitionError as error:
        first = error.diagnostics[0]
        if first.code == TOO_MUCH:
            raise
        if first.code == TOO_LONG:
            message = f"its definition would be too long: {first.message}"
            place = next(iter(imported.graph.nodes())).span
            raise DefinitionError([Diagnostic.of(TOO_MUCH, message, place)]) from None
        raise Unequal(f"the definition does not compile: {first.code}, {first.message}") from None


def checked(imported: Imported, definition: RecoveredNet) -> Defined:
    """The definition compiled, with the original's numbers.

    Raises `Unequal` and `DefinitionError`.
    """
    source = Source(f"{imported.graph.name}.netdef", write(imported, definition))
    parsed = parse(source)
    text = format_file(parsed.whole())
    if text != source.text:
        source = replace(source, text=text)
        parsed = parse(source)
    module = load(source, parsed=parsed)
    result = check_net(module.nets()[-1])
    if result.errors:
        raise DefinitionError(result.errors)
    originals = matched(result.graph, imported.graph, definition.swapped)
    for ours, original in originals.items():
        if original in imported.kept and ours != original:
            raise Unequal(f"{original} is called {ours}")
    graph = replace(result.graph, values=numbers(result.graph, imported, originals))
    diagnostics = (*imported.warnings, *result.diagnostics)
    return Defined(text, replace(result, graph=graph, diagnostics=diagnostics), originals)


def numbers(
    graph: Graph, imported: Imported, originals: Mapping[str, str]
) -> dict[str, NDArray[np.float32]]:
    """The original's numbers under the definition's names."""
    values = imported.graph.values
    found = {}
    for node in graph.nodes():
        if node.owner or node.name not in originals:
            continue
        original = imported.graph[originals[node.name]]
        for weight in graph.weights(node):
            value = values.get(original.array(weight.name))
            if value is not None:
                found[node.array(weight.name)] = value
    return found


def matched(graph: Graph, original: Graph, swapped: frozenset[str]) -> dict[str, str]:
    """For each layer of a graph the original's layer that it is, from the outputs backwards.

    Layers of `identity` that the original lacks are passed over; `swapped` are joins that take
    their tensors in the other order. Raises `Unequal`.
    """
    if set(graph.outputs) != set(original.outputs):
        raise Unequal("the outputs differ")
    pending = [(graph.outputs[name], original.outputs[name]) for name in graph.outputs]
    found: dict[str, str] = {}
    while pending:
        ours, theirs = pending.pop()
        if found.get(ours) == theirs:
            continue
        a, b = graph[ours], original[theirs]
        if a.op.name == "identity" and b.op.name != "identity":
            pending.append((a.inputs[0], theirs))
            continue
        if found.setdefault(ours, theirs) != theirs:
            raise Unequal(f"{ours} is both {found[ours]} and {theirs}")
        compare(a, b, graph, original)
        inputs = b.inputs[::-1] if theirs in swapped else b.inputs
        pending += zip(a.inputs, inputs, strict=True)
    return found


def compare(a: Node, b: Node, graph: Graph, original: Graph) -> None:
    """Raise `Unequal` unless two layers do the same."""
    if isinstance(a.op, Input):
        if not isinstance(b.op, Input) or a.name != b.name:
            raise Unequal(f"{a.name} is an input, {b.name} is not")
        return
    same = type(a.op) is type(b.op) and len(a.inputs) == len(b.inputs)
    same = same and len(a.shape) == len(b.shape)
    same = same and all(map(graph.facts.equal, a.shape, b.shape))
    if not same or arguments(a, graph) != arguments(b, original):
        raise Unequal(f"{a.name} is {a.op}, the original {b.name} is {b.op}")


def arguments(node: Node, graph: Graph) -> dict[str, Any]:
    """The arguments of a layer, its pads resolved to pixels."""
    values = {field.name: getattr(node.op, field.name) for field in fields(node.op)}
    axes = getattr(node.op, "axes", None)
    if axes is not None:
        values["pad"] = axes(graph.input_shapes(node)[0][1:], Facts())
        for name in ("kernel", "stride", "dilation", "ceil", "amount"):
            values.pop(name, None)
    return values
