"""How far two tensors are apart, and how far they may be by device and precision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtime.devices import PROVIDERS, parse_device
from runtime.errors import CallError

TOLERANCES = {
    **dict.fromkeys(("cpu", "openvino"), (1e-4, 1e-5)),
    **dict.fromkeys(("cuda", "auto"), (1e-3, 1e-4)),
}
ROUNDINGS = 16.0  # two ways to round the same numbers are seldom further apart, in one's errors
ROUNDED = 2e-2  # both, for float16, bfloat16, TF32 and whatever TensorRT chooses
STEP = 2.0**-8  # of bfloat16, relative
SMALLEST = np.finfo(np.float32).tiny  # a difference below it is none that float32 can tell
PIECE = 2**20  # numbers that are compared at a time


@dataclass(frozen=True)
class Gap:
    """How far a tensor is from its reference; a shape, infinity or NaN that differs is inf.

    `error` is the largest difference; `relative` divides it by the tensor's largest magnitude;
    `share` is the largest difference as a share of what is allowed at that place. `shapes` are the
    tensor's and the reference's, where they are not the same.
    """

    error: float
    relative: float
    share: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def __str__(self) -> str:
        if self.shapes is not None:
            return "shape {} instead of {}".format(*map(list, self.shapes))
        if math.isinf(self.error):
            return ONE_SIDED
        return f"off by {self.error:.3g}, {self.share:.1%} of the tolerance"


ONE_SIDED = "a number on one side, none on the other"
NONE = Gap(0.0, 0.0, 0.0)
APART = Gap(math.inf, math.inf, math.inf)


class Tolerance(NamedTuple):
    """What may differ: relative to the value, and to the tensor's largest magnitude."""

    relative: float
    absolute: float


def tolerance(device: str, dtype: str = "f32", *, exact: bool = True, layers: int = 1) -> Tolerance:
    """The tolerance of a device and precision against NumPy in float64.

    Each layer rounds, and roundings add up as a random walk does: for bfloat16, whose step is
    coarse, that is more than 2e-2 from some 26 layers on. Raises `CallError` for a device that is
    left open, or NumPy itself.
    """
    kind = parse_device(device).kind
    if kind not in PROVIDERS:
        raise CallError(f"what is compared runs on {', '.join(PROVIDERS)}, not on {kind}")
    if dtype == "f32" and exact and kind in TOLERANCES:
        return Tolerance(*TOLERANCES[kind])
    allowed = max(ROUNDED, STEP * math.sqrt(layers)) if dtype == "bf16" else ROUNDED
    return Tolerance(allowed, allowed)


def gap(
    ours: NDArray[Any], reference: NDArray[Any], allow: Tolerance, rounding: float = 0.0
) -> Gap:
    """Compare two tensors; absolute * scale + relative * |value| + rounding is allowed of each.

    The scale is the tensor's largest magnitude: a sum of large terms that nearly cancel cannot be
    closer than their rounding. `rounding` is what more float32 is known to lose in this tensor.
    """
    if ours.shape != reference.shape:
        return replace(APART, shapes=(ours.shape, reference.shape))
    scale = max((magnitude(b) for _, _, b in pieces(ours, reference)), default=0.0)
    error = share = 0.0
    for _, a, b in pieces(ours, reference):
        difference = distance(a, b)
        error = max(error, float(difference.max()))
        if error == math.inf:
            return APART
        values = np.abs(np.where(np.isfinite(b), b, 0))
        allowed = allow.absolute * scale + allow.relative * values + rounding
        share = max(share, float((difference / np.maximum(allowed, SMALLEST)).max()))
    relative = error / scale if scale else math.inf if error else 0.0
    return Gap(error, relative, share)


def widest(ours: NDArray[Any], reference: NDArray[Any]) -> tuple[int, ...] | None:
    """The index of the largest difference, the first one if several; None if shapes differ."""
    if ours.shape != reference.shape or not reference.size:
        return None
    place, largest = 0, -1.0
    for first, a, b in pieces(ours, reference):
        difference = distance(a, b)
        local = int(difference.argmax())
        if difference[local] > largest:
            place, largest = first + local, float(difference[local])
    return tuple(int(i) for i in np.unravel_index(place, reference.shape))


def pieces(
    ours: NDArray[Any], reference: NDArray[Any]
) -> Iterator[tuple[int, NDArray[Any], NDArray[np.float64]]]:
    """Two tensors of one shape in pieces, as float64, each with the offset of its first number."""
    a, b = ours.reshape(-1), reference.reshape(-1)
    for first in range(0, b.size, PIECE):
        cut = slice(first, first + PIECE)
        yield first, a[cut].astype(np.float64), b[cut].astype(np.float64)


def magnitude(values: NDArray[np.float64]) -> float:
    """The largest magnitude among the finite values."""
    return float(np.abs(values).max(where=np.isfinite(values), initial=0.0))


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The differences of two arrays; a number against none is infinitely far."""
    with np.errstate(invalid="ignore"):
        found = np.abs(a - b)
    odd = ~np.isfinite(found)
    if odd.any():
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        found[odd] = np.where(same, 0.0, math.inf)[odd]
    return np.asarray(found)
