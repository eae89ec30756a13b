"""What shape a window makes of its input: convolutions and poolings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.differential.asked import Arguments, Rule, dimensions, known, need
from tests.differential.sizes import Shape, value_of
from tests.differential.windows import Window, each_axis, slid, windows_of, written


def conv(given: Arguments, shape: Shape) -> Shape:
    """conv: groups divide, the kernel fits, a mirror has enough pixels."""
    groups, channels = given.get("groups", 1), given["channels"]
    need(known(shape[0]) % groups == 0 and channels % groups == 0)
    windows = windows_of(
        shape[1:],
        given["kernel"],
        given.get("stride", 1),
        given.get("pad", 0),
        given.get("dilation", 1),
    )
    check_mirror(given.get("pad_mode"), shape[1:], windows)
    if "weight" in given:
        kernel = tuple(window.kernel for window in windows)
        need(dimensions(given["weight"]) == (channels, known(shape[0]) // groups, *kernel))
    return (channels, *slid(shape[1:], windows))


def check_mirror(mode: str | None, spatial: Shape, windows: Any) -> None:
    """`reflect` needs one pixel more than the padding, `circular` as many."""
    for size, window in zip(spatial, windows, strict=True):
        most = value_of(size) - (mode == "reflect")
        need(mode not in ("reflect", "circular") or max(window.before, window.after) <= most)


def deconv(given: Arguments, shape: Shape) -> Shape:
    """deconv: `same` is the size times the stride."""
    groups, channels, rank = given.get("groups", 1), given["channels"], len(shape) - 1
    need(rank >= 1 and known(shape[0]) % groups == 0 and channels % groups == 0)
    windows = transposed_windows(given, rank)
    extra = each_axis(given.get("output_pad", 0), rank)
    need(all(e < window.stride for e, window in zip(extra, windows, strict=True)))
    if "weight" in given:
        kernel = tuple(window.kernel for window in windows)
        need(dimensions(given["weight"]) == (known(shape[0]), channels // groups, *kernel))
    return (channels, *written(shape[1:], windows, extra))


def transposed_windows(given: Arguments, rank: int) -> tuple[Window, ...]:
    """The windows that a deconv writes."""
    kernel, pad = each_axis(given["kernel"], rank), given.get("pad", 0)
    stride = each_axis(given.get("stride", 1), rank)
    dilation = each_axis(given.get("dilation", 1), rank)
    if pad in ("same", "same_lower"):
        totals = [d * (k - 1) + 1 - s for k, d, s in zip(kernel, dilation, stride, strict=True)]
        need(min(totals) >= 0)
        halves = [(total // 2, (total + 1) // 2) for total in totals]
        pad = [pair if pad == "same" else pair[::-1] for pair in halves]
    ample = (10**6,) * rank  # a transposed window always fits
    return windows_of(ample, kernel, stride, pad, dilation)


def filter_(given: Arguments, shape: Shape) -> Shape:
    """filter: a kernel with a level for each axis."""
    windows = windows_of(
        shape[1:],
        dimensions(given["kernel_values"]),
        given.get("stride", 1),
        given.get("pad", 0),
        1,
    )
    check_mirror(given.get("pad_mode"), shape[1:], windows)
    return (known(shape[0]), *slid(shape[1:], windows))


def weightedpool(given: Arguments, shape: Shape) -> Shape:
    """weightedpool: as filter, without padding, of weights whose sum is not 0."""
    kernel = dimensions(given["kernel_values"])
    need(bool(np.sum(given["kernel_values"]) != 0))
    windows = windows_of(shape[1:], kernel, given.get("stride"), 0, 1)
    return (known(shape[0]), *slid(shape[1:], windows))


def pool(given: Arguments, shape: Shape) -> Shape:
    """maxpool: no window sees padding only."""
    ceil, pad = given.get("ceil", False), given.get("pad", 0)
    windows = windows_of(
        shape[1:],
        given["kernel"],
        given.get("stride"),
        pad,
        given.get("dilation", 1),
        ceil=ceil,
    )
    for size, window in zip(shape[1:], windows, strict=True):
        need(max(window.before, window.after) < window.extent)
        need(not window.before or window.dilation <= value_of(size))
    return (shape[0], *slid(shape[1:], windows, ceil=ceil))


def summed(given: Arguments, shape: Shape) -> Shape:
    """lppool: a dilated sum is a convolution, which must know its channels."""
    need(len(shape) > 1)
    dilated = max(each_axis(given.get("dilation", 1), len(shape) - 1)) > 1
    return pool(given, (known(shape[0]) if dilated else shape[0], *shape[1:]))


def avgpool(given: Arguments, shape: Shape) -> Shape:
    """avgpool: a dilated mean over a symbolic size has all taps of every window count."""
    rank = len(shape) - 1
    made = summed(given, shape)
    windows = windows_of(
        shape[1:],
        given["kernel"],
        given.get("stride"),
        given.get("pad", 0),
        given.get("dilation", 1),
        ceil=True,
    )
    for size, dilation, window in zip(
        shape[1:], each_axis(given.get("dilation", 1), rank), windows, strict=True
    ):
        padded = (window.before or window.after) and not given.get("count_pad", True)
        overhang = given.get("ceil") and window.stride > 1
        need(isinstance(size, int) or dilation == 1 or not (padded or overhang))
    return made


def global_pool(given: Arguments, shape: Shape) -> Shape:
    """gap, gmp: one number for each map."""
    need(len(shape) > 1)
    return (shape[0], *(1 for _ in shape[1:]))


def adaptive(given: Arguments, shape: Shape) -> Shape:
    """adaptive_avgpool, adaptive_maxpool: any number of parts."""
    need(len(shape) > 1)
    return (shape[0], *each_axis(given["size"], len(shape) - 1))


WINDOWS: Mapping[str, Rule] = {
    "conv": conv,
    "deconv": deconv,
    "filter": filter_,
    "weightedpool": weightedpool,
    "maxpool": pool,
    "avgpool": avgpool,
    "lppool": summed,
    "gap": global_pool,
    "gmp": global_pool,
    "adaptive_avgpool": adaptive,
    "adaptive_maxpool": adaptive,
}
