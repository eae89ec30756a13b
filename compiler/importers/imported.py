"""What an importer hands on: a graph in netc's ops, its numbers, and what must be said about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from compiler.dims import Dim, Size, symbols
from compiler.domain.valid import valid_domain
from compiler.files import read_regular
from compiler.graph import Graph
from grammar.diagnostics import Diagnostic
from grammar.records import dataclass


class UnreadableError(ValueError):
    """A file that is not of the format that its name promises; the text says why."""


@dataclass(frozen=True)
class Imported:
    """A model of another format in netc's ops.

    `kept` are the layers whose names are the source's own and must stay (their parameters are
    known by them); other names were made up. `notes` say which conventions were translated.
    `graph.values` holds the parameters' numbers where the source has them. `tensors` gives for a
    layer the tensor of the source that it makes, where that is certain. `constants` are the layers
    that hold a factor and offset for each channel which the source multiplies and adds. `exact` is
    whether the parameters are called as ours are, as those of a PyTorch module: they then keep
    their numbers, too. `warnings` are what the source says to no effect.
    """

    graph: Graph
    kept: frozenset[str]
    notes: tuple[str, ...]
    origin: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    exact: bool = False
    warnings: tuple[Diagnostic, ...] = ()


def renamed(imported: Imported, new: Mapping[str, str]) -> Imported:
    """The model with layers called otherwise, their parameters too; `new` has no name twice."""
    nodes = [
        replace(
            node,
            name=new.get(node.name, node.name),
            inputs=tuple(new.get(name, name) for name in node.inputs),
            owner=new.get(node.owner, node.owner),
        )
        for node in imported.graph.nodes()
    ]
    values, owners = {}, imported.graph.owners
    for full, value in imported.graph.values.items():
        layer = owners[full]
        values[new.get(layer, layer) + full.removeprefix(layer)] = value
    outputs = {output: new.get(name, name) for output, name in imported.graph.outputs.items()}
    return replace(
        imported,
        graph=imported.graph.rebuilt(nodes, outputs=outputs, values=values),
        kept=frozenset(new.get(name, name) for name in imported.kept),
        tensors={new.get(name, name): tensor for name, tensor in imported.tensors.items()},
        constants=frozenset(new.get(name, name) for name in imported.constants),
    )


def with_valid_sizes(graph: Graph) -> Graph:
    """The graph with the sizes that its layers allow; raises `Contradiction` if none."""
    sizes: list[tuple[Size, int]] = []
    for node in graph.nodes():
        sizes += [(size, 1) for size in node.shape]
        sizes += node.op.conditions(graph.input_shapes(node), graph.facts)
    names = [name for node in graph.inputs() for size in node.shape for name in symbols(size)]
    conditions = [(size, least) for size, least in sizes if isinstance(size, Dim)]
    return graph.with_domain(valid_domain(graph.facts, conditions, list(dict.fromkeys(names))))


MOST_LAYERS, MOST_EDGES = 4300, 20_000  # finding the structure of more takes too long


def check_count(name: str, layers: int) -> None:
    """Raise `UnreadableError` for a file of more layers than any network has."""
    if layers > MOST_LAYERS:
        raise UnreadableError(f"{name} has {layers:,} layers, more than {MOST_LAYERS:,}")


def check_inputs(name: str, shapes: Collection[str], inputs: Sequence[str]) -> None:
    """Raise `UnreadableError` where a shape is given for an input that there is not."""
    for given in shapes:
        if given not in inputs:
            there = f"its inputs are {', '.join(inputs)}" if inputs else "it has none"
            raise UnreadableError(f"{name} has no input {given}: {there}")


def read_text(path: Path) -> str:
    """The text of a file; raises `UnreadableError` and `OSError`."""
    try:
        return read_regular(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UnreadableError(f"{path} is no UTF-8 text") from None
