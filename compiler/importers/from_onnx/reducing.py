"""ONNX reductions: whole maps to `gap` and `gmp`, other axes by way of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.dims import Dim, Size, product
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.ops.arguments import Extent
from compiler.values import Tensor

KINDS = {"ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceSum": "sum"}
OF_EACH = {"ReduceL1": "abs", "ReduceL2": "square", "ReduceSumSquare": "square"}  # then summed
REDUCTIONS = (*KINDS, *OF_EACH)
LEAST = float(np.finfo(np.float32).tiny)  # a norm of 0 divides nothing


@converts(*REDUCTIONS)
def reduce(reading: Reading) -> Tensor:
    """The mean, maximum, minimum, sum or norm over some axes."""
    x, kind = reading.tensor(0), reading.operator.type
    given = reading.sizes(1) if reading.has(1) else list(reading.get("axes") or ())
    if reading.get("noop_with_empty_axes", 0) and not given:
        return x
    rank = len(x.shape) + reading.batch
    numbers = [a for a in given or range(rank) if not isinstance(a, Dim)]
    axes = sorted({reading.axis(int(axis), x) for axis in numbers})
    kept = reading.get("keepdims", 1) == 1  # to ONNX Runtime 2 is none
    y = reduced(reading, of_each(reading, x, kind), axes, KINDS.get(kind, "sum"), kept)
    return reading.add("power", y, exponent=0.5) if kind == "ReduceL2" else y


def of_each(reading: Reading, x: Tensor, kind: str) -> Tensor:
    """What is summed of each value for a norm."""
    match OF_EACH.get(kind):
        case "abs":
            return reading.add("abs", x)
        case "square":
            return reading.add("power", x, exponent=2)
    return x


@converts("LpNormalization")
def lp_normalization(reading: Reading) -> Tensor:
    """Division by the norm along an axis."""
    x, kind = reading.tensor(0), f"ReduceL{reading.get('p', 2)}"
    axis = reading.axis(int(reading.get("axis", -1)), x)
    norm = reduced(reading, of_each(reading, x, kind), [axis], "sum", kept=True)
    if kind == "ReduceL2":
        norm = reading.add("power", norm, exponent=0.5)
    return reading.add("div", x, reading.add("clip", norm, lo=LEAST, hi=LARGEST))


def reduced(reading: Reading, x: Tensor, axes: Sequence[int], kind: str, kept: bool) -> Tensor:
    """`kind` over axes of the sample, which stay as sizes of 1 when `kept`."""
    count = product(x.shape[axis] for axis in axes)
    if kind == "sum" and isinstance(count, Dim):
        raise Refused(f"it sums over the symbolic size {count}")
    if kind == "min":
        x = reading.add("scale", x, factor=-1.0)
    pooled = pool(reading, x, axes, "mean" if kind == "sum" else kind)
    if kind == "sum" and count != 1:
        pooled = reading.add("scale", pooled, factor=count)
    if kind == "min":
        pooled = reading.add("scale", pooled, factor=-1.0)
    shape: tuple[Size, ...] = tuple(1 if a in axes else s for a, s in enumerate(x.shape))
    if not kept:
        shape = tuple(s for a, s in enumerate(x.shape) if a not in axes) or (1,)
    return to_shape(reading, pooled, shape)


def pool(reading: Reading, x: Tensor, axes: Sequence[int], kind: str) -> Tensor:
    """The pooling, its result in some shape; other axes than the pixels are moved behind."""
    op = "gap" if kind == "mean" else "gmp"
    rank = len(x.shape)
    if list(axes) == [*range(1, rank)] and rank > 1:
        return reading.add(op, x)
    spatial = [size for size in x.shape[1:] if isinstance(size, int)]
    if rank > 2 and 0 not in axes and len(spatial) == rank - 1:
        return along(reading, x, [axis - 1 for axis in axes], spatial, kind)
    rest = [axis for axis in range(rank) if axis not in axes]
    order = [*rest, *axes]
    moved = x if order == sorted(order) else reading.add("transpose", x, order=order)
    rows = product(x.shape[axis] for axis in rest)
    columns = product(x.shape[axis] for axis in axes)
    if isinstance(rows, Dim):
        raise Refused("the axes that it leaves have symbolic sizes")
    return reading.add(op, to_shape(reading, moved, (rows, columns)))


def along(
    reading: Reading, x: Tensor, axes: Sequence[int], spatial: Sequence[int], kind: str
) -> Tensor:
    """The pooling of a map along some of its spatial axes, which stay with size 1."""
    if kind == "mean":
        left = Extent(1 if axis in axes else size for axis, size in enumerate(spatial))
        return reading.add("adaptive_avgpool", x, size=left)
    window = Extent(size if axis in axes else 1 for axis, size in enumerate(spatial))
    return reading.add("maxpool", x, kernel=window)
