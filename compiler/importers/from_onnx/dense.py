"""ONNX matrix products with constant weights."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.affine import affine
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reshape import to_shape
from compiler.values import Tensor


@converts("Gemm")
def gemm(reading: Reading) -> Tensor:
    """alpha A B + beta C with constant B and C: `dense`, the factors worked into the numbers."""
    x, weight = reading.tensor(0), reading.array(1)
    alpha, beta = float(reading.get("alpha", 1.0)), float(reading.get("beta", 1.0))
    if alpha != 1 or beta != 1:
        reading.builder.note("alpha and beta of Gemm are worked into its weight and bias")
    if not reading.get("transB", 0):
        weight = weight.T
    weight = weight if alpha == 1 else weight * np.float32(alpha)
    bias = reading.array(2) if reading.has(2) else None
    bias = bias if bias is None or beta == 1 else bias * np.float32(beta)
    if reading.get("transA", 0):
        if reading.batch:
            raise Refused("transA=1 mixes the samples of a batch")
        x = reading.add("transpose", x, order=[1, 0])
    if len(x.shape) + reading.batch != 2:
        raise Refused(f"its input has rank {len(x.shape) + reading.batch}, not 2")
    if reading.batch:
        units = weight.shape[0]
        row = bias is None or (bias.size in (1, units) and bias.shape[-1:] in ((units,), (1,), ()))
        if not row:
            raise Refused("its bias differs along the batch")
        return dense(reading, x, weight, bias)
    y = rows_times(reading, x, weight.T)
    return y if bias is None else affine(reading.add, y, np.ones(1), bias)


def dense(reading: Reading, x: Tensor, weight: NDArray[Any], bias: NDArray[Any] | None) -> Tensor:
    """A vector times a matrix [units, inputs]."""
    units, features = weight.shape
    if x.shape != (features,):
        have = ", ".join(map(str, x.shape))
        raise Refused(f"its weight takes {features} numbers, its input is [{have}]")
    weights = {"weight": weight}
    if bias is not None:
        weights["bias"] = np.broadcast_to(bias.reshape(-1), (units,))
    return reading.add(
        "dense", x, weights=weights, known_by=(1, 2), units=units, bias=bias is not None
    )


@converts("MatMul")
def matmul(reading: Reading) -> Tensor:
    """A product with a constant: `dense` for a vector, 1x1 convolutions for what has more axes.

    A constant on the left, A x, is the transposed product (x^T A^T)^T.
    """
    left = reading.value(0)
    if not isinstance(left, Tensor):
        return left_product(reading)
    right = reading.value(1)
    if isinstance(right, Tensor):
        raise Refused("both its inputs are computed by the network")
    matrix = for_every_sample(reading, left, reading.array(1))
    bias = reading.array(2) if reading.has(2) else None
    if reading.batch and len(left.shape) == 1 and matrix.ndim == 2:
        return dense(reading, left, matrix.T, bias)
    if bias is not None:  # of a matrix, as the idiom that puts it here sees to
        return rows_times(reading, left, matrix, bias)
    vector = matrix.ndim == 1
    matrix = matrix[:, None] if vector else matrix
    row = len(left.shape) == 1
    x = to_shape(reading, left, (1, *left.shape)) if row else left
    y = batched_product(reading, x, matrix)
    shape = [*y.shape]
    if vector:
        shape = shape[:-1]
    if row:
        del shape[-1 if vector else -2]
    return to_shape(reading, y, tuple(shape) or (1,)) if row or vector else y


def for_every_sample(reading: Reading, x: Tensor, matrix: NDArray[Any]) -> NDArray[Any]:
    """The matrix without axes that stand against the batch, along which it must not vary."""
    while reading.batch and matrix.ndim > max(len(x.shape), 2):
        if matrix.shape[0] != 1:
            raise Refused("it has a matrix for each sample of the batch")
        matrix = matrix[0]
    return matrix


def left_product(reading: Reading) -> Tensor:
    """A x with a constant matrix A, for a sample that is a matrix."""
    matrix, x = reading.array(0), reading.tensor(1)
    if matrix.ndim == 1 and not reading.batch and len(x.shape) > 1:
        y = batched_product(reading, swapped(reading, x), matrix[:, None])
        return to_shape(reading, y, y.shape[:-1])
    if matrix.ndim != 2 or len(x.shape) < 2:
        raise Refused("a constant on its left is no matrix")
    return swapped(reading, batched_product(reading, swapped(reading, x), matrix.T))


def swapped(reading: Reading, x: Tensor) -> Tensor:
    """The last two axes exchanged."""
    order = [*range(len(x.shape))]
    order[-2:] = order[:-3:-1]
    return reading.add("transpose", x, order=order)


def batched_product(reading: Reading, x: Tensor, matrix: NDArray[Any]) -> Tensor:
    """[…, M, K] times a constant […, K, N]: each leading index has a matrix of its own."""
    inner, columns = matrix.shape[-2:]
    lead = matrix.shape[:-2]
    while lead and lead[0] == 1 and len(lead) > len(x.shape) - 2:
        lead = lead[1:]
    if prod(lead) == 1:
        return rows_times(reading, x, matrix.reshape(inner, columns))
    return grouped_product(reading, x, matrix.reshape(*lead, inner, columns))


def rows_times(
    reading: Reading, x: Tensor, matrix: NDArray[Any], bias: NDArray[Any] | None = None
) -> Tensor:
    """Every row (along the last axis) times one matrix: that axis as channels of a 1x1 conv."""
    rank = len(x.shape)
    if x.shape[-1] != matrix.shape[0]:
        raise Refused(f"its matrix has {matrix.shape[0]} rows, its input {x.shape[-1]} columns")
    if rank == 1:
        return dense(reading, x, matrix.T, bias)
    forth = [rank - 1, *range(rank - 1)]
    back = [*range(1, rank), 0]
    moved = reading.add("transpose", x, order=forth)
    ones = (1,) * (rank - 1)
    y = reading.add(
        "conv",
        moved,
        weights={"weight": matrix.T.reshape(*matrix.T.shape, *ones)}
        | ({} if bias is None else {"bias": bias}),
        known_by=(1, 2),
        channels=matrix.shape[1],
        kernel=list(ones) if rank > 2 else 1,
        bias=bias is not None,
    )
    return reading.add("transpose", y, order=back)


def grouped_product(reading: Reading, x: Tensor, matrix: NDArray[Any]) -> Tensor:
    """A matrix for each leading index: a 1x1 convolution with as many groups as indices."""
    shape = x.shape
    if shape[-1] != matrix.shape[-2]:
        raise Refused(f"its matrix has {matrix.shape[-2]} rows, its input {shape[-1]} columns")
    if any(isinstance(size, Dim) for size in shape):
        raise Refused("its input must have known sizes")
    sizes = tuple(int(size) for size in shape if not isinstance(size, Dim))
    lead = np.broadcast_shapes(sizes[:-2], matrix.shape[:-2])
    if prod(lead) != prod(sizes[:-2]):
        sizes, x = stretched(reading, x, sizes, lead)
    rows, inner = sizes[-2:]
    columns, count = matrix.shape[-1], prod(lead)
    stacked = np.broadcast_to(matrix, (*lead, *matrix.shape[-2:])).reshape(count, inner, columns)
    x = to_shape(reading, x, (count, rows, inner))
    x = to_shape(reading, reading.add("transpose", x, order=[0, 2, 1]), (count * inner, rows))
    y = reading.add(
        "conv",
        x,
        weights={"weight": stacked.transpose(0, 2, 1).reshape(count * columns, inner, 1)},
        known_by=(1,),
        channels=count * columns,
        kernel=1,
        groups=count,
        bias=False,
    )
    y = reading.add("transpose", to_shape(reading, y, (count, columns, rows)), order=[0, 2, 1])
    return to_shape(reading, y, (*lead, rows, columns))


def stretched(
    reading: Reading, x: Tensor, sizes: tuple[int, ...], lead: tuple[int, ...]
) -> tuple[tuple[int, ...], Tensor]:
    """The input repeated along leading axes of size 1."""
    sizes = (1,) * (len(lead) + 2 - len(sizes)) + sizes
    x = to_shape(reading, x, sizes)
    for axis, (have, wanted) in enumerate(zip(sizes, lead, strict=False)):
        if have != wanted:
            x = reading.add("concat", *([x] * wanted), axis=axis)
    return (*lead, *sizes[-2:]), x
