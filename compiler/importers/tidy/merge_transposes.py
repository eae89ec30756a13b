"""Transposes that follow one another are one, or none."""

from __future__ import annotations

from compiler.importers.imported import Imported
from compiler.importers.tidy.rewriting import Rewriting
from compiler.ops.reshape import Transpose


def merge_transposes(imported: Imported) -> Imported:
    """Two permutations of the axes in a row become their product; the identity goes."""
    rewriting = Rewriting(imported)
    for name in list(rewriting.nodes):
        pair = rewriting.chain(rewriting.nodes[name], Transpose, Transpose)
        if pair is None:
            continue
        first, second = pair
        order = tuple(first.op.order[axis] for axis in second.op.order)  # type: ignore[attr-defined]
        if list(order) == sorted(order):
            rewriting.drop(second.name, first.inputs[0])
        else:
            rewriting.become(second, Transpose(order=order), first)
        rewriting.remove(first.name)
    return rewriting.finished()
