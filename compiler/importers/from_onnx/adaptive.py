"""Adaptive pooling as PyTorch's newer exporter writes it: by the places of every window.

The rows and columns of each window are picked by one GatherND from [H, W, N, C]. Where windows
differ in size, what a shorter one lacks is masked with 0, the values of a window are added one by
one, and their sum is divided by how many they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.builder import Refused
from compiler.importers.from_onnx.operators import Operator
from compiler.importers.from_onnx.patterns import Bound, Matcher, make
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.window_arguments import kernel
from compiler.ops.arguments import Extent
from compiler.values import Tensor

KIND = "netc.AdaptiveAveragePool"
PICKED = make(
    "Transpose",
    make("GatherND", make("Transpose", "x", name="before"), "places", name="gather"),
    name="behind",
)
MASKED = make("Where", "columns", 0.0, make("Where", "rows", 0.0, PICKED))


def adaptive_pooling(matcher: Matcher, operator: Operator) -> Any:
    """What an operator is that ends an adaptive pooling; None for another."""
    bound = equal_windows(matcher, operator) or unequal_windows(matcher, operator)
    if bound is None:
        return None
    orders = [bound[name].attributes.get("perm") for name in ("before", "behind")]
    if orders != [(2, 3, 0, 1), (4, 5, 0, 1, 2, 3)] or bound["gather"].attributes.get(
        "batch_dims", 0
    ):
        return None
    places = matcher.constants.get(bound["places"])
    if places is None or places.ndim != 5 or places.shape[-1] != 2:
        return None
    rows, columns = places[:, :, :1, :1, 0], places[:1, :1, :, :, 1]
    grid = np.stack(np.broadcast_arrays(rows, columns), axis=-1)
    if not np.array_equal(grid, places):
        return None
    given = [
        divided(axis.reshape(-1, axis.size // count), matcher.constants.get(bound.get(mask, "")))
        for axis, count, mask in (
            (rows, places.shape[0], "rows"),
            (columns, places.shape[2], "columns"),
        )
    ]
    if None in given:
        return None
    size = (places.shape[0], places.shape[2])
    return KIND, (bound["x"],), {"size": size, "given": tuple(given)}


def equal_windows(matcher: Matcher, operator: Operator) -> Bound | None:
    """The mean over the places in every window."""
    if operator.type != "ReduceMean" or operator.attributes.get("keepdims", 1):
        return None
    axes = operator.attributes.get("axes")
    if len(operator.inputs) > 1:
        axes = matcher.constants.get(operator.inputs[1])
    if axes is None or sorted(int(axis) % 6 for axis in axes) != [3, 5]:
        return None
    return next(matcher.match(PICKED, operator.inputs[0], {}), None)


def unequal_windows(matcher: Matcher, operator: Operator) -> Bound | None:
    """The sum of the first, second, … place of every window, divided by how many they are.

    Which are added is left to the proof of the import.
    """
    if operator.type != "Div" or operator.inputs[1] not in matcher.constants:
        return None
    maker = matcher.made_by.get(operator.inputs[0])
    while maker is not None and maker.type in ("Add", "Gather"):
        tensor = maker.inputs[0]
        maker = matcher.made_by.get(tensor)
        if maker is not None and maker.type == "Where":
            return next(matcher.match(MASKED, tensor, {}), None)
    return None


def divided(windows: NDArray[Any], mask: NDArray[Any] | None) -> int | None:
    """How many pixels these windows divide, as near-equal parts; None where they do not."""
    count, widest = windows.shape
    lacking = np.zeros(windows.shape, dtype=bool)
    if mask is not None:
        if mask.size != windows.size:
            return None
        lacking = mask.reshape(windows.shape).astype(bool)
    found = [window[~absent].tolist() for window, absent in zip(windows, lacking, strict=True)]
    if not all(found):
        return None
    size = found[-1][-1] + 1
    wanted = [[*range(i * size // count, -(-(i + 1) * size // count))] for i in range(count)]
    return size if found == wanted and widest == max(map(len, found)) else None


@converts(KIND)
def adaptive_average_pool(reading: Reading) -> Tensor:
    """`adaptive_avgpool` of a map of the size that the windows were made for, if they say one."""
    x, given = reading.tensor(0), reading.get("given")
    if given is not None and x.shape[1:] != given:
        raise Refused(f"its windows are those of a map of {given}, its input is {x.shape}")
    return reading.add("adaptive_avgpool", x, size=parts(reading, x))


@converts("netc.AdaptiveMaxPool")
def adaptive_max_pool(reading: Reading) -> Tensor:
    """`adaptive_maxpool`, as `netc.from_torch` has PyTorch export it."""
    x = reading.tensor(0)
    return reading.add("adaptive_maxpool", x, size=parts(reading, x))


def parts(reading: Reading, x: Tensor) -> int | Extent:
    """How many parts along each spatial axis."""
    size = reading.get("size")
    if not isinstance(size, tuple) or len(size) != len(x.shape) - 1:
        raise Refused(f"it has {size} parts for {len(x.shape) - 1} spatial axes")
    return kernel(size)
