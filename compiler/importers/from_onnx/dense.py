"""ONNX matrix products with constant weights."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.affine import affine
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.joins import held
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
    if reading.get("rows"):  # of a view, whose other axes are the batch's
        flat = bias is None or bias.shape[:-1] in ((), (1,))
        if not flat:
            raise Refused("its bias differs along the batch")
        wide = None if bias is None else np.broadcast_to(bias.reshape(-1), weight.shape[:1])
        return rows_times(reading, x, weight.T, wide)
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
    """A product with a constant: `dense`, along the last axis of what is no vector.

    A constant on the left, A x, is the transposed product (x^T A^T)^T.
    """
    left = reading.value(0)
    if not isinstance(left, Tensor):
        return left_product(reading)
    right = reading.value(1)
    if isinstance(right, Tensor):
        return product(reading, left, right)
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
    return to_shape(reading, y, tuple(shape)) if row or vector else y


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


def product(reading: Reading, left: Tensor, right: Tensor) -> Tensor:
    """The product of two tensors of the network, the axes before their matrices lined up."""
    if min(len(left.shape), len(right.shape)) < 2:
        raise Refused("it multiplies by a vector that the network computes")
    rank = max(len(left.shape), len(right.shape))
    if reading.batch and len(left.shape) != len(right.shape):
        raise Refused("its inputs have different ranks")
    same = [to_shape(reading, t, (1,) * (rank - len(t.shape)) + t.shape) for t in (left, right)]
    reading.builder.equate(left.shape[-1], right.shape[-2])
    return reading.add("matmul", *same)


def rows_times(
    reading: Reading, x: Tensor, matrix: NDArray[Any], bias: NDArray[Any] | None = None
) -> Tensor:
    """Every row, along the last axis, times one matrix."""
    if x.shape[-1] != matrix.shape[0]:
        raise Refused(f"its matrix has {matrix.shape[0]} rows, its input {x.shape[-1]} columns")
    if len(x.shape) == 1:
        return dense(reading, x, matrix.T, bias)
    return reading.add(
        "dense",
        x,
        weights={"weight": matrix.T} | ({} if bias is None else {"bias": bias}),
        known_by=(1, 2),
        units=matrix.shape[1],
        bias=bias is not None,
        axis=-1,
    )


def grouped_product(reading: Reading, x: Tensor, matrix: NDArray[Any]) -> Tensor:
    """A matrix for each leading index, as a tensor with the weights."""
    if x.shape[-1] != matrix.shape[-2]:
        raise Refused(f"its matrix has {matrix.shape[-2]} rows, its input {x.shape[-1]} columns")
    rank = max(len(x.shape), matrix.ndim)
    x = to_shape(reading, x, (1,) * (rank - len(x.shape)) + x.shape)
    matrix = matrix.reshape((1,) * (rank - matrix.ndim) + matrix.shape)
    return reading.add("matmul", x, held(reading, matrix, 1))
