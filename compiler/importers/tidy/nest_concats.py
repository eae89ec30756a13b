"""Concatenations that exporters made one: some of its tensors leave another than the rest."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from compiler.graph import Input, Node
from compiler.importers.numbered import numbered
from compiler.ops.joins import Concat
from compiler.ops.shapes import infer
from compiler.rewriting import Rewriting


def nest_concats(rewriting: Rewriting) -> None:
    """Neighbours that branch off the same tensor, and are all that does, are a concat within.

    The concat of a concat is one concat: [a, b1, b2, c] becomes [a, [b1, b2], c], so that each join
    has branches of one tensor.
    """
    for node in rewriting.each():
        if isinstance(node.op, Concat) and len(node.inputs) > 2:
            nest(rewriting, node)


def nest(rewriting: Rewriting, node: Node) -> None:
    """Give one concat the concats within it."""
    origins = {source: origin(rewriting, source) for source in node.inputs}
    groups = [(start, list(run)) for start, run in groupby(node.inputs, origins.__getitem__)]
    if len(groups) < 2:
        return
    inputs = []
    for start, sources in groups:
        if len(sources) < 2 or rewriting.uses(start) != len(sources):
            inputs += sources
            continue
        inner = numbered(f"{node.name}_within", rewriting.nodes, "_")
        shapes = tuple(rewriting.nodes[source].shape for source in sources)
        shape = infer(node.op, shapes, rewriting.facts)
        rewriting.insert(replace(node, name=inner, inputs=tuple(sources), shape=shape), node.name)
        inputs.append(inner)
    rewriting.put(replace(node, inputs=tuple(inputs)))


def origin(rewriting: Rewriting, name: str) -> str:
    """The tensor that a private chain of layers leaves."""
    node = rewriting.nodes[name]
    while rewriting.uses(name) == 1 and not isinstance(node.op, Input) and len(node.inputs) == 1:
        name = node.inputs[0]
        node = rewriting.nodes[name]
    return name
