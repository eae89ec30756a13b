"""A map that is resized along one axis after the other."""

from __future__ import annotations

from dataclasses import replace

from compiler.dims import Dim
from compiler.graph import Node
from compiler.ops.base import Shape
from compiler.ops.resampling import Resize
from compiler.rewriting import Rewriting


def merge_resizes(rewriting: Rewriting) -> None:
    """Two maps that are resized in one way in a row are one where each changes axes of its own."""
    for first, second in rewriting.chains(Resize, Resize):
        if are_apart(rewriting, first, second):
            assert isinstance(first.op, Resize) and isinstance(second.op, Resize)
            given = rewriting.nodes[first.inputs[0]].shape
            op = replace(second.op, size=second.shape[1:], like=None)
            if first.op.scale is not None or second.op.scale is not None:
                op = replace(op, scale=factors(given, first, second))
            rewriting.become(second, op, first)
            rewriting.remove(first.name)


def factors(given: Shape, first: Node, second: Node) -> tuple[float, ...]:
    """The factor of each axis of a map by that of the two which changes it."""
    found = []
    for axis in range(1, len(given)):
        node = first if given[axis] != first.shape[axis] else second
        assert isinstance(node.op, Resize)
        have, size = (given if node is first else first.shape)[axis], node.shape[axis]
        factor = node.op.factors(len(given) - 1)[axis - 1]
        assert isinstance(have, int) and isinstance(size, int)  # as a scale asks for
        found.append(size / have if factor is None else factor)
    return tuple(found)


def are_apart(rewriting: Rewriting, first: Node, second: Node) -> bool:
    """Whether both look for pixels in one way, along different axes."""
    a, b = first.op, second.op
    assert isinstance(a, Resize) and isinstance(b, Resize)
    scaled = a.scale is not None or b.scale is not None
    if (a.mode, a.align) != (b.mode, b.align) or (scaled and a.mode == "nearest"):
        return False
    if a.mode == "nearest" and a.rounding != b.rounding:
        return False
    given = rewriting.nodes[first.inputs[0]].shape
    if scaled and any(isinstance(size, Dim) for size in (*given[1:], *second.shape[1:])):
        return False
    shapes = zip(given, first.shape, second.shape, strict=True)
    return all(x == y or y == z for x, y, z in shapes)
