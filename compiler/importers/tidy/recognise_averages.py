"""Means of windows written as sums of them, each divided by how many of its taps count."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.graph import Node
from compiler.importers.tidy.merge_constants import is_constant, numbers
from compiler.importers.window_arguments import (
    Pairs,
    convolution_pad,
    each,
    kernel,
    pooling_pad,
)
from compiler.ops.base import Axis, Shape, ShapeError
from compiler.ops.convolution import Conv
from compiler.ops.filtering import Filter
from compiler.ops.joins import Div
from compiler.ops.pooling import AvgPool, tap_counts
from compiler.ops.scale import Scale
from compiler.ops.shapes import infer
from compiler.ops.tensors import Const
from compiler.rewriting import Rewriting


def recognise_averages(rewriting: Rewriting) -> None:
    """A kernel of ones on every channel by itself, divided so, is `avgpool`.

    Dilated windows have to be written like that, and those that hang over the edge beyond what a
    framework's own pooling takes.
    """
    for node in rewriting.each():
        sums = rewriting.nodes[node.inputs[0]] if node.inputs else node
        if not is_sum(rewriting, sums) or rewriting.uses(sums.name) != 1:
            continue
        counts = divisor(rewriting, node)
        op = None if counts is None else average(rewriting, sums, counts)
        if op is not None:
            rewriting.become(node, op, sums)
            rewriting.remove(sums.name)


def is_sum(rewriting: Rewriting, node: Node) -> bool:
    """Whether a layer of no name adds up the taps of each window of each channel."""
    op = node.op
    if isinstance(op, Filter):
        return op.pad_mode == "zero" and bool(np.all(np.array(op.kernel_values) == 1))
    if not isinstance(op, Conv) or node.name in (*rewriting.kept, *rewriting.constants):
        return False
    weight = rewriting.weight(node, "weight")
    alone = weight is not None and weight.shape[1] == 1 and len(weight) == op.groups
    plain = op.pad_mode == "zero" and not op.bias and not rewriting.shares(node)
    return alone and plain and bool(np.all(weight == 1))


def divisor(rewriting: Rewriting, node: Node) -> NDArray[Any] | None:
    """By what a layer of fixed numbers divides each window, the same for all channels."""
    if is_constant(rewriting, node):
        factor, offset = numbers(rewriting, node)
        alike = not np.any(offset) and np.all(factor == factor[0]) and factor[0] > 0
        return 1 / factor[:1] if alike else None
    if isinstance(node.op, Scale) and isinstance(node.op.factor, float):
        return np.array([1 / node.op.factor]) if node.op.factor > 0 else None
    if not isinstance(node.op, Div) or len(node.inputs) != 2:
        return None
    held = rewriting.nodes[node.inputs[1]]
    if not isinstance(held.op, Const):
        return None
    given = rewriting.values.get(held.name) if held.op.values is None else held.op.values
    counts = np.asarray(given, dtype=np.float64)
    spatial = len(node.shape) - 1
    return None if counts.ndim > spatial and counts.shape[-spatial - 1] != 1 else counts


def average(rewriting: Rewriting, sums: Node, counts: NDArray[Any]) -> AvgPool | None:
    """The mean whose windows have so many taps that count."""
    assert isinstance(sums.op, Conv | Filter)
    (given,) = rewriting.shapes(sums)
    axes = sums.op.axes(given[1:], rewriting.facts)
    for op in averages(rewriting, axes, given):
        try:
            fits = infer(op, (given,), rewriting.facts) == sums.shape
            wanted = counted(op, given[1:], rewriting)
        except ShapeError:
            continue
        sizes = tuple(size for size in sums.shape[1:] if not isinstance(size, Dim))
        alike = bool(np.all(wanted == wanted.flat[0]))
        if alike:
            fits = fits and np.allclose(counts, wanted.flat[0], rtol=1e-6)
        else:
            fits = fits and np.allclose(np.broadcast_to(counts, (1, *sizes)), wanted, rtol=1e-6)
        if fits:
            return op
    return None


def counted(op: AvgPool, spatial: Shape, rewriting: Rewriting) -> NDArray[Any]:
    """How many taps of each window count."""
    axes = op.axes(spatial, rewriting.facts)
    rows = [tap_counts(size, axis, op.count_pad) for size, axis in zip(spatial, axes, strict=True)]
    found: Any = 1.0
    for row in rows:
        found = np.multiply.outer(found, row)
    return np.asarray(found)


def averages(rewriting: Rewriting, axes: tuple[Axis, ...], given: Shape) -> Iterator[AvgPool]:
    """The means over these windows: all padding counts, but for what overhangs, or none."""
    kernels, strides = [axis.kernel for axis in axes], [axis.stride for axis in axes]
    dilations, extents = [axis.dilation for axis in axes], [axis.extent for axis in axes]
    pairs: Pairs = tuple((axis.before, axis.after) for axis in axes)
    facts, spatial = rewriting.facts, given[1:]

    def mean(pad: Any, ceil: bool, count_pad: bool) -> AvgPool:
        pad = tuple(map(tuple, pad)) if isinstance(pad, list) else pad
        return AvgPool(
            kernel=kernel(kernels),
            stride=each(strides),
            pad=pad,
            ceil=ceil,
            count_pad=count_pad,
            dilation=each(dilations),
        )

    over = product(*(range(min(axis.stride, axis.after + 1)) for axis in axes))
    for hanging in sorted(over, key=lambda found: uneven(pairs, found)):
        within: Pairs = tuple((b, a - o) for (b, a), o in zip(pairs, hanging, strict=True))
        pad = convolution_pad(within, spatial, extents, strides, facts)
        op = mean(pad, any(hanging), True)
        try:
            found = op.axes(spatial, facts)
        except ShapeError:
            continue
        if [(a.before, a.after, a.overhang) for a in found] == [
            (*pair, o) for pair, o in zip(within, hanging, strict=True)
        ]:
            yield op
    yield mean(*pooling_pad(pairs, spatial, kernels, strides, dilations, facts), count_pad=False)


def uneven(pairs: Pairs, hanging: tuple[int, ...]) -> int:
    """How many axes have other pads after than before, but for what overhangs."""
    return sum(b != a - over for (b, a), over in zip(pairs, hanging, strict=True))
