"""Adaptive pooling written as products with matrices of averages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.domain import Facts
from compiler.graph import Node
from compiler.importers.window_arguments import kernel
from compiler.ops.base import Shape
from compiler.ops.convolution import Conv
from compiler.ops.global_pooling import AdaptiveAvgPool, GlobalAveragePool
from compiler.ops.reshape import Transpose
from compiler.rewriting import Rewriting


def recognise_pooling(rewriting: Rewriting) -> None:
    """A product along one axis with the means of near-equal parts is `adaptive_avgpool`.

    It arrives as that axis moved to the front, a 1x1 convolution, and the axis moved back, or
    elsewhere: then another transpose remains.
    """
    for node in rewriting.each():
        three = rewriting.chain(node, Transpose, Conv, Transpose)
        if three is None:
            continue
        first, middle, last = three
        given = rewriting.nodes[first.inputs[0]].shape
        assert isinstance(first.op, Transpose) and isinstance(last.op, Transpose)
        weight = rewriting.weight(middle, "weight")
        channels = first.op.order[0] == 0
        if channels or weight is None or any(isinstance(s, Dim) for s in given):
            continue
        if not is_product(middle, first.shape) or not is_means(weight.reshape(weight.shape[:2])):
            continue
        sizes = [int(size) for size in given if not isinstance(size, Dim)]
        sizes[first.op.order[0]] = len(weight)
        pooling = AdaptiveAvgPool(size=kernel(sizes[1:]))
        order = tuple(first.op.order[axis] for axis in last.op.order)
        if order == tuple(range(len(order))):
            rewriting.become(last, pooling, first)
            rewriting.remove(middle.name)
        else:
            rewriting.become(middle, pooling, first)
            rewriting.forget(middle.name)
            rewriting.become(last, Transpose(order=order), last)
        rewriting.remove(first.name)


def is_product(node: Node, given: Shape) -> bool:
    """Whether a convolution of an input of this shape is a product with a matrix and no more."""
    op = node.op
    if not isinstance(op, Conv) or op.bias or op.groups != 1:
        return False
    axes = op.axes(given[1:], Facts())
    return all((a.kernel, a.stride, a.before, a.after) == (1, 1, 0, 0) for a in axes)


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
    for node in rewriting.each():
        pair = rewriting.chain(node, AdaptiveAvgPool, AdaptiveAvgPool)
        if pair is not None:
            first, second = pair
            whole = all(size == 1 for size in second.shape[1:])
            rewriting.become(second, GlobalAveragePool() if whole else second.op, first)
            rewriting.remove(first.name)
