"""A map that is cut along one axis after the other."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.ops.base import Shape
from compiler.ops.spatial import Crop
from compiler.rewriting import Rewriting


def merge_crops(rewriting: Rewriting) -> None:
    """Crops in a row are one; one from the centre does not say where it begins."""
    for first, second in rewriting.chains(Crop, Crop):
        assert isinstance(first.op, Crop) and isinstance(second.op, Crop)
        if None in (first.op.top, first.op.left, second.op.top, second.op.left):
            continue
        top = (first.op.top or 0) + (second.op.top or 0)
        left = (first.op.left or 0) + (second.op.left or 0)
        rewriting.become(second, Crop(second.op.h, second.op.w, top, left), first)
        rewriting.remove(first.name)
    for node in rewriting.each():
        if isinstance(node.op, Crop):
            given = rewriting.nodes[node.inputs[0]].shape
            if is_centred(node.op, given):
                rewriting.become(node, Crop(node.op.h, node.op.w), node)


def is_centred(op: Crop, given: Shape) -> bool:
    """Whether a crop begins where it would if nothing were said."""
    places = zip(given[1:], (op.h, op.w), (op.top, op.left), strict=True)
    return all(
        not isinstance(size - keep, Dim) and place == (size - keep) // 2
        for size, keep, place in places
    )
