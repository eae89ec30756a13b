"""Where the classes of an output lie."""

from __future__ import annotations

from collections.abc import Sequence


def class_axis(shape: Sequence[object]) -> int:
    """The axis of a sample along which its classes lie.

    The numbers of a vector and the maps of a segmentation [K, H, W] are classes, and so are the
    columns of a table [boxes, K], as of a detector's scores.
    """
    return 1 if len(shape) == 2 else 0
