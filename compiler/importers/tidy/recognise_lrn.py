"""Local response normalisation written with elementary layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.domain import Facts
from compiler.graph import Node
from compiler.ops.base import Axis, Shape
from compiler.ops.connect import Identity
from compiler.ops.convolution import Conv
from compiler.ops.elementary import Power
from compiler.ops.joins import Div, Mul
from compiler.ops.normalise import LocalResponseNorm
from compiler.ops.pooling import AvgPool
from compiler.ops.reshape import Reshape
from compiler.ops.scale import Scale, Shift
from compiler.rewriting import Rewriting


def recognise_lrn(rewriting: Rewriting) -> None:
    """x divided by a power of k plus a band of weights on its squares is `lrn`.

    The power arrives as one layer, or for beta = 0.75 as sqrt(s) * sqrt(sqrt(s)). PyTorch averages
    the squares with a pooling along the channels instead, made an axis of the map. What another
    layer takes as well stays.
    """
    for node in rewriting.each():
        if not isinstance(node.op, Div):
            continue
        power = rewriting.nodes[node.inputs[1]]
        found = banded(rewriting, power) or pooled(rewriting, power)
        if found is None:
            continue
        op, layers = found
        squares = rewriting.nodes[layers[0].inputs[0]]
        if not is_square(rewriting, squares, node.inputs[0]):
            continue
        rewriting.become(node, op, Node(node.name, op, node.inputs[:1], (), node.span))


def banded(rewriting: Rewriting, node: Node) -> tuple[LocalResponseNorm, Sequence[Node]] | None:
    """The normalisation that ends in a power of a convolution, and its layers from there on."""
    found = denominator(rewriting, node)
    if found is None:
        return None
    beta, sums, between = found
    op = response(rewriting, sums, beta)
    return None if op is None else (op, [sums, *between])


def pooled(rewriting: Rewriting, node: Node) -> tuple[LocalResponseNorm, Sequence[Node]] | None:
    """The normalisation that ends in a power of averages, and its layers from there on."""
    for averages in ((Reshape, AvgPool, Reshape), ()):  # of one channel nothing is averaged
        for rest in ((Scale, Shift, Power), (Shift, Power)):
            layers = rewriting.chain(node, *averages, *rest)
            if layers is not None:
                return response_of(rewriting, layers[: len(averages)], layers[len(averages) :])
    return None


def response_of(
    rewriting: Rewriting, averages: Sequence[Node], scaled: Sequence[Node]
) -> tuple[LocalResponseNorm, Sequence[Node]] | None:
    """The normalisation by these averages of squares, k and alpha of them, and all its layers."""
    size: int | None = 1
    if averages:
        wide, pool, narrow = averages
        squares = rewriting.nodes[wide.inputs[0]]
        channels = wide.shape[:2] == (1, squares.shape[0])  # the pixels as any map of them
        fits = channels and narrow.shape == squares.shape
        size = channels_averaged(pool, wide.shape) if fits else None
    alpha = scaled[0].op.factor if isinstance(scaled[0].op, Scale) else 1
    k, beta = scaled[-2].op.offset, scaled[-1].op.exponent  # type: ignore[attr-defined]
    if size is None or not all(isinstance(v, int | float) and v > 0 for v in (alpha, k, beta)):
        return None
    op = LocalResponseNorm(size=size, alpha=alpha, beta=beta, k=k)
    return op, [*averages, *scaled]


def channels_averaged(pool: Node, given: Shape) -> int | None:
    """Over how many channels, its second axis, a pooling averages; None when it does else."""
    assert isinstance(pool.op, AvgPool)
    along, *others = pool.op.axes(given[1:], Facts())
    half = along.kernel // 2
    centred = along == Axis(along.kernel, 1, 1, half, half) and along.kernel % 2 == 1
    alone = all(axis == Axis(1) for axis in others)
    return along.kernel if centred and alone and pool.op.count_pad else None


def denominator(rewriting: Rewriting, node: Node) -> tuple[float, Node, list[Node]] | None:
    """The exponent of a power, the convolution it is taken of, and the layers from it to there."""
    if isinstance(node.op, Power):
        sums = rewriting.nodes[node.inputs[0]]
        return (node.op.exponent, sums, [node]) if isinstance(sums.op, Conv) else None
    if not isinstance(node.op, Mul) or len(node.inputs) != 2:
        return None
    for root, fourth in (node.inputs, node.inputs[::-1]):
        first, second = rewriting.nodes[root], rewriting.nodes[fourth]
        roots = [n for n in (first, second) if isinstance(n.op, Power) and n.op.exponent == 0.5]
        if len(roots) == 2 and second.inputs == (root,):
            sums = rewriting.nodes[first.inputs[0]]
            return (0.75, sums, [node, second, first]) if isinstance(sums.op, Conv) else None
    return None


def response(rewriting: Rewriting, sums: Node, beta: float) -> LocalResponseNorm | None:
    """The normalisation whose sums a 1x1 convolution makes, if its weights are such a band."""
    weight = rewriting.weight(sums, "weight")
    bias = rewriting.weight(sums, "bias")
    if weight is None or bias is None or weight.size != weight.shape[0] ** 2 or beta <= 0:
        return None
    band = weight.reshape(weight.shape[:2])
    size = 2 * int(np.count_nonzero(band[0])) - 1
    share, k = float(band[0, 0]), float(bias[0])
    if share <= 0 or k <= 0 or size < 1 or not (bias == bias[0]).all():
        return None
    if not np.array_equal(band, band_of(len(band), size // 2, share)):
        return None
    alpha = float(f"{share * size:.6g}")
    if np.float32(alpha / size) != np.float32(share):
        alpha = share * size
    return LocalResponseNorm(size=size, alpha=alpha, beta=beta, k=k)


def band_of(channels: int, reach: int, share: float) -> NDArray[np.float32]:
    """The matrix with `share` on the diagonal and `reach` places to either side."""
    distance = np.abs(np.subtract.outer(np.arange(channels), np.arange(channels)))
    return np.where(distance <= reach, np.float32(share), np.float32(0))


def is_square(rewriting: Rewriting, node: Node, of: str) -> bool:
    """Whether a layer is a tensor times itself, or times what hands it on."""
    of = handed_on(rewriting, of)
    taken = [handed_on(rewriting, name) for name in node.inputs]
    if isinstance(node.op, Power):
        return node.op.exponent == 2 and taken == [of]
    return isinstance(node.op, Mul) and taken == [of, of]


def handed_on(rewriting: Rewriting, name: str) -> str:
    """The tensor that layers which change nothing hand on."""
    while isinstance(rewriting.nodes[name].op, Identity):
        (name,) = rewriting.nodes[name].inputs
    return name
