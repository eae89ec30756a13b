"""Fold runs of constant arithmetic into one layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Node
from compiler.ops.scale import Normalize, Scale, Shift
from compiler.rewriting import Rewriting

Numbers = NDArray[np.float64]  # one for all channels, or one for each


def affine(node: Node) -> tuple[Numbers, Numbers] | None:
    """A layer as factor and offset, x * factor + offset, or None."""
    match node.op:
        case Scale(factor=factor):
            return numbers(factor), numbers(0)
        case Shift(offset=offset):
            return numbers(1), numbers(offset)
        case Normalize(mean=mean, std=std):
            return 1 / numbers(std), -numbers(mean) / numbers(std)
    return None


def numbers(value: Any) -> Numbers:
    """An argument of a layer as an array."""
    return np.asarray(value, dtype=np.float64)


def argument(array: Numbers) -> Any:
    """An array as the argument of a layer."""
    return tuple(array.tolist()) if array.ndim else float(array)


def merged(first: Node, second: Node) -> Normalize | None:
    """Two such layers as one `normalize`, None where a factor is 0 or nearly so.

    (a x + b) c + d = (x + (bc + d)/(ac)) ac: a deviation of 1/(ac), which may well be negative.
    """
    before, after = affine(first), affine(second)
    if before is None or after is None:
        return None
    factor, offset = before[0] * after[0], before[1] * after[0] + after[1]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        std = 1 / factor
        mean = -offset * std
    if not (np.isfinite(std) & np.isfinite(mean)).all():
        return None
    return Normalize(argument(mean), argument(std))


def fold_constants(rewriting: Rewriting) -> None:
    """Merge a scale, shift or normalize into the one before it when nothing else uses that.

    Two in a row become one `normalize` (in double precision), so a run of any length becomes one
    layer. Requires nothing; guarantees that no two such layers follow one another privately,
    unless a factor is 0.
    """
    for node in rewriting.each():
        source = rewriting.before(node)
        normalize = None if source is None else merged(source, node)
        if source is not None and normalize is not None:
            rewriting.become(node, normalize, source)
            rewriting.remove(source.name)
