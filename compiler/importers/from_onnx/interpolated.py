"""Maps resized by hand: pixels picked for each tap along an axis, weighted and added up.

So PyTorch source does what `F.interpolate` does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.from_onnx.patterns import Bound, make
from compiler.importers.from_onnx.reading import Reading, counted
from compiler.importers.from_onnx.resampling import OURS, WantedSize, evaluated, resized
from compiler.onnx.interpolation import cubic, linear
from compiler.values import Tensor

TAP = [
    make("Mul", make("Gather", "x", f"places{tap}", name=f"gather{tap}"), f"weights{tap}")
    for tap in range(4)
]
LINEAR = make("Add", TAP[0], TAP[1])
CUBIC = make("Add", make("Add", LINEAR, TAP[2]), TAP[3])
MODES = (("cubic", CUBIC, 4), ("linear", LINEAR, 2))
SHARES = np.linspace(0, 1, 2**13 + 1)  # of the way from one pixel to the next


def interpolated(reading: Reading) -> Tensor | None:
    """`resize` where the operator at hand adds up its pixels; None for another sum.

    It is asked while the model is read, when sizes are known, which the places come from.
    """
    for mode, pattern, taps in MODES if reading.operator.type == "Add" else ():
        for bound in reading.matcher.match(pattern, reading.operator.outputs[0], {}):
            x = reading.values.get(bound["x"])
            if not isinstance(x, Tensor) or (mode == "cubic" and len(x.shape) != 3):
                continue
            made = along_one_axis(reading, x, mode, bound, taps)
            if made is not None:
                return made
    return None


def along_one_axis(
    reading: Reading, x: Tensor, mode: str, bound: Bound, taps: int
) -> Tensor | None:
    """The map resized along the axis of some taps, if that is what they do."""
    rank = len(x.shape) + reading.batch
    axes = {counted(bound[f"gather{tap}"].attributes.get("axis", 0), rank) for tap in range(taps)}
    axis, *others = axes
    if others or axis <= reading.batch or isinstance(x.shape[axis - reading.batch], Dim):
        return None
    place = axis - reading.batch
    have: Any = x.shape[place]
    found = pixels_of(reading, bound, taps, axis - rank)
    if found is None or found[0].min() < 0 or found[0].max() >= have:
        return None
    pixels, weights = found
    matrix = np.zeros((len(pixels), have))
    np.add.at(matrix, (np.arange(len(pixels))[:, None], pixels), weights)
    if np.array_equal(matrix, np.eye(have)):
        return x
    for align, factor in candidates(pixels, weights, have):
        given = {"mode": mode, "coordinate_transformation_mode": align}
        unit, none = np.eye(have, dtype=np.float32), np.zeros(0, dtype=np.float32)
        made = evaluated(given, unit, len(matrix), factor, none, reading.opset)
        if made.shape == matrix.shape and np.allclose(made, matrix, atol=1e-5):
            wanted = WantedSize([1.0] * len(x.shape), [*x.shape])
            wanted.factors[place] = len(matrix) / have if factor is None else factor
            wanted.sizes[place] = len(matrix)
            return resized(reading, x, wanted, mode, OURS[align], "prefer_floor")
    return None


def pixels_of(
    reading: Reading, bound: Bound, taps: int, axis: int
) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """The pixels of each output along an axis counted from the end, in order, and their weights.

    None where they are no constants of one size along it.
    """
    arrays: list[list[Any]] = [
        [reading.values.get(bound[f"{what}{tap}"]) for tap in range(taps)]
        for what in ("places", "weights")
    ]
    if not all(isinstance(array, np.ndarray) for array in (*arrays[0], *arrays[1])):
        return None
    size = arrays[0][0].size
    if not size or any(places.shape != (size,) for places in arrays[0]):
        return None
    if any(w.size != size or w.ndim < -axis or w.shape[axis] != size for w in arrays[1]):
        return None
    pixels, weights = (np.stack([a.ravel() for a in row], axis=1) for row in arrays)
    order = np.argsort(pixels.sum(0), kind="stable")
    return pixels[:, order], weights[:, order]


def candidates(
    pixels: NDArray[Any], weights: NDArray[Any], have: int
) -> Iterator[tuple[str, float | None]]:
    """Ways to resize that these may be: by the size, or by the factor that the pixels show."""
    size, taps = pixels.shape
    mode, middle = (cubic, 1) if taps == 4 else (linear, 0)
    falling = np.array([mode(share)[middle] for share in SHARES])
    shares = 1 - np.interp(weights[:, middle], falling[::-1], SHARES)
    inside = np.all(np.diff(pixels, axis=1) == 1, axis=1)  # not cut off at the edge
    rows = np.flatnonzero(inside & (np.abs(shares - 0.5) < 0.45))
    rows = rows if len(rows) else np.flatnonzero(inside)
    row = int(rows[-1]) if len(rows) else 0
    place = float(pixels[row, middle] + shares[row])
    for align, half in (("asymmetric", 0.0), ("half_pixel", 0.5)):
        yield align, None
        factor = float(f"{(row + half) / (place + half):.6g}") if place > 0 else 0.0
        if int(have * np.float32(factor)) == size:
            yield align, factor
    yield "align_corners", None
