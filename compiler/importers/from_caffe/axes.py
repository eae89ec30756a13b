"""Axes of Caffe's blobs, the batch first, as axes of a sample."""

from __future__ import annotations

from compiler.importers.builder import Refused
from compiler.values import Tensor


def blob_axis(axis: int, x: Tensor, *, beyond: int = 0) -> int:
    """An axis of the blob counted from 0, negative ones from the end; raises `Refused`."""
    rank = len(x.shape) + 1
    if not -rank <= axis < rank + beyond:
        raise Refused(f"there is no axis {axis} in a blob of {rank} axes")
    return axis % rank if axis < rank else axis


def axis_of(axis: int, x: Tensor) -> int:
    """An axis of the blob as one of the sample; raises `Refused` for the batch."""
    found = blob_axis(axis, x) - 1
    if found < 0:
        raise Refused("it acts along the batch")
    return found
