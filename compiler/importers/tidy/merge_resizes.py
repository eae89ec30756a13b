"""A map that is resized along one axis after the other."""

from __future__ import annotations

from dataclasses import replace

from compiler.graph import Node
from compiler.ops.resampling import Resize
from compiler.rewriting import Rewriting


def merge_resizes(rewriting: Rewriting) -> None:
    """Two maps of nearest pixels in a row are one where each changes axes of its own."""
    for first, second in rewriting.chains(Resize, Resize):
        if are_apart(rewriting, first, second):
            assert isinstance(second.op, Resize)
            rewriting.become(second, replace(second.op, size=second.shape[1:], like=None), first)
            rewriting.remove(first.name)


def are_apart(rewriting: Rewriting, first: Node, second: Node) -> bool:
    """Whether both look for the nearest pixels in one way, along different axes."""
    a, b = first.op, second.op
    assert isinstance(a, Resize) and isinstance(b, Resize)
    same = (a.mode, a.align, a.rounding) == (b.mode, b.align, b.rounding)
    if not same or a.mode != "nearest" or a.scale is not None or b.scale is not None:
        return False
    given = rewriting.nodes[first.inputs[0]].shape
    shapes = zip(given, first.shape, second.shape, strict=True)
    return all(x == y or y == z for x, y, z in shapes)
