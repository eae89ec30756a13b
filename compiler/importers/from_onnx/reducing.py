"""ONNX reductions: whole maps are `gap` and `gmp`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.from_onnx.activate import LARGEST
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.ops.arguments import Extent
from compiler.values import Tensor

KINDS = {"ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceSum": "sum"}
LOG_SUM_EXP = "ReduceLogSumExp"
OF_EACH = {"ReduceL1": "abs", "ReduceL2": "square", "ReduceSumSquare": "square"}  # then summed
REDUCTIONS = (*KINDS, *OF_EACH, LOG_SUM_EXP)
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
    if kind == LOG_SUM_EXP:
        return log_sum_exp(reading, x, axes, kept)
    y = reduced(reading, of_each(reading, x, kind), axes, KINDS.get(kind, "sum"), kept)
    return reading.add("power", y, exponent=0.5) if kind == "ReduceL2" else y


def log_sum_exp(reading: Reading, x: Tensor, axes: Sequence[int], kept: bool) -> Tensor:
    """log of the sum of e^x, by the largest x, which no exponential overflows at."""
    largest = reduced(reading, x, axes, "max", kept=True)
    powers = reading.add("exp", reading.add("sub", x, largest))
    total = reading.add("log", reduced(reading, powers, axes, "sum", kept=True))
    y = reading.add("add", total, largest)
    left = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return y if kept else to_shape(reading, y, left)


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
    if kind == "ReduceL2":
        return reading.add("l2norm", x, axis=axis, eps=single(reading.get("epsilon", LEAST)))
    norm = reduced(reading, of_each(reading, x, kind), [axis], "sum", kept=True)
    return reading.add("div", x, reading.add("clip", norm, lo=LEAST, hi=LARGEST))


def reduced(reading: Reading, x: Tensor, axes: Sequence[int], kind: str, kept: bool) -> Tensor:
    """`kind` over axes of the sample, which stay as sizes of 1 when `kept`."""
    pooled = {"mean": "gap", "max": "gmp"}.get(kind)
    rank = len(x.shape)
    if pooled and rank > 1 and list(axes) == [*range(1, rank)]:
        y = reading.add(pooled, x)
        return y if kept else to_shape(reading, y, x.shape[:1])
    spatial = [size for size in x.shape[1:] if isinstance(size, int)]
    if kind == "mean" and kept and rank > 2 and 0 not in axes and len(spatial) == rank - 1:
        left = Extent(1 if place in axes else size for place, size in enumerate(spatial, start=1))
        return reading.add("adaptive_avgpool", x, size=left)
    chosen: dict[str, Any] = {"keep": True} if kept else {}
    if len(axes) < rank:
        chosen["axis"] = list(axes) if len(axes) > 1 else axes[0]
    return reading.add(f"reduce_{kind}", x, **chosen)
