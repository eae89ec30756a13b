"""Adaptive pooling written as products with matrices of averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.window_arguments import kernel
from compiler.ops.connect import Dense
from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool
from compiler.rewriting import Rewriting


def recognise_pooling(rewriting: Rewriting) -> None:
    """A product along one axis with the means of near-equal parts is `adaptive_avgpool`."""
    for node in rewriting.each():
        if not isinstance(node.op, Dense) or node.op.bias or rewriting.shares(node):
            continue
        (given,) = rewriting.shapes(node)
        axis, weight = node.op.along(given), rewriting.weight(node, "weight")
        if axis == 0 or weight is None or any(isinstance(size, Dim) for size in given):
            continue
        if is_means(weight):
            sizes = [int(size) for size in node.shape[1:] if not isinstance(size, Dim)]
            rewriting.become(node, AdaptiveAvgPool(size=kernel(sizes)), node)
            rewriting.forget(node.name)


def is_means(matrix: NDArray[Any]) -> bool:
    """Whether row i of n averages the pixels from floor(iW/n) to ceil((i + 1)W/n)."""
    count, width = matrix.shape
    wanted = np.zeros((count, width))
    for row in range(count):
        start, end = row * width // count, -(-(row + 1) * width // count)
        wanted[row, start:end] = 1 / (end - start)
    return bool(np.allclose(matrix, wanted, atol=1e-6))


def merge_poolings(rewriting: Rewriting) -> None:
    """Adaptive poolings of different axes in a row are one of all; to one pixel it is `gap`."""
    for first, second in rewriting.chains(AdaptiveAvgPool, AdaptiveAvgPool):
        (given,) = rewriting.shapes(first)
        sizes = zip(given[1:], first.shape[1:], second.shape[1:], strict=True)
        if all(size == between or between == made for size, between, made in sizes):
            whole = all(size == 1 for size in second.shape[1:])
            rewriting.become(second, GlobalAveragePool() if whole else second.op, first)
            rewriting.remove(first.name)
