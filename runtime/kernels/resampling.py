"""Maps of any other size in NumPy: along each axis a product with a matrix of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.ops.resampling import Resize
from runtime.kernels import Array, Arrays, Inputs, kernel
from runtime.kernels.windows import each

KEYS = -0.75  # the kernel's free number


@kernel(Resize)
def resize(op: Resize, inputs: Inputs, arrays: Arrays) -> Array:
    """Axis by axis: every output pixel a weighted sum of the pixels around its place."""
    x = inputs[0]
    rank = x.ndim - 2
    scales = op.scale if isinstance(op.scale, tuple) else (op.scale,) * rank
    sizes = each(op.size if op.like is None else op.like, rank)
    for axis, (wanted, scale) in enumerate(zip(sizes, scales, strict=True), start=2):
        matrix = weights(op, x.shape[axis], wanted, scale).astype(x.dtype)
        x = np.moveaxis(np.tensordot(x, matrix, axes=(axis, 1)), -1, axis)
    return np.ascontiguousarray(x)


def weights(op: Resize, have: int, wanted: int, scale: float | None) -> NDArray[Any]:
    """The matrix [wanted, have] of one axis."""
    places = centres(op.align, have, wanted, scale)
    matrix = np.zeros((wanted, have))
    for row, place in enumerate(places):
        for pixel, weight in taps(op, float(place)):
            matrix[row, min(max(pixel, 0), have - 1)] += weight
    return matrix


def centres(align: str, have: int, wanted: int, scale: float | None) -> NDArray[Any]:
    """Where each output pixel lies in the input.

    The ratio of the sizes divides once, so that a pixel halfway between two others lies there.
    """
    index = np.arange(wanted, dtype=np.float64)
    if align == "corners":
        return index * (have - 1) / (wanted - 1) if wanted > 1 else index * 0
    half = 0.5 if align == "half_pixel" else 0.0
    if scale is not None:
        return (index + half) / scale - half
    return (index + half) * have / wanted - half


def taps(op: Resize, place: float) -> list[tuple[int, float]]:
    """The pixels that make up the value at a place, with their weights."""
    low = int(np.floor(place))
    share = place - low
    if op.mode == "nearest":
        match op.rounding:
            case "floor":
                up = 0
            case "ceil":
                up = int(share > 0)
            case "prefer_floor":
                up = int(share > 0.5)
            case _:
                up = int(share >= 0.5)
        return [(low + up, 1.0)]
    if op.mode == "linear":
        return [(low, 1 - share), (low + 1, share)]
    return [(low + i, cubic(abs(share - i))) for i in (-1, 0, 1, 2)]


def cubic(distance: float) -> float:
    """Keys' kernel (Keys 1981, equation 4)."""
    if distance <= 1:
        return (KEYS + 2) * distance**3 - (KEYS + 3) * distance**2 + 1
    return KEYS * (distance**3 - 5 * distance**2 + 8 * distance - 4)
