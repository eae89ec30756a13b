"""The windowed ops as their definitions read: plain loops over float64 numbers.

Nothing here knows the package. Sizes follow Dumoulin and Visin, "A guide to convolution arithmetic
for deep learning" (2016); all tensors are [N, C, spatial…], `pads` are (before, after) pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import ceil, floor, prod
from typing import Any

import numpy as np

Pairs = Sequence[tuple[int, int]]


def resolve(
    pad: Any, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int]
) -> list[tuple[int, int]]:
    """The (before, after) pairs of any form of `pad`; `kernel` is the dilated one."""
    pairs = []
    for index, (w, k, s) in enumerate(zip(sizes, kernel, stride, strict=True)):
        if pad in ("same", "same_lower"):
            total = max((ceil(w / s) - 1) * s + k - w, 0)
            halves = (floor(total / 2), ceil(total / 2))
            pairs.append(halves if pad == "same" else halves[::-1])
        elif pad == "half":
            pairs.append(((k - 1) // 2, (k - 1) // 2))
        elif pad == "valid":
            pairs.append((0, 0))
        elif isinstance(pad, int):
            pairs.append((pad, pad))
        elif isinstance(pad[index], int):
            pairs.append((pad[index], pad[index]))
        else:
            pairs.append(pad[index])
    return pairs


def output_sizes(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pads: Pairs, up: bool
) -> list[int]:
    """floor((W + P - K)/S) + 1, or its ceiling less a last window that starts in the padding."""
    found = []
    for w, k, s, (before, after) in zip(sizes, kernel, stride, pads, strict=True):
        steps = (w + before + after - k) / s
        count = (ceil(steps) if up else floor(steps)) + 1
        if up and (count - 1) * s >= before + w:
            count -= 1
        found.append(count)
    return found


def border(position: int, size: int, mode: str) -> int | None:
    """Which pixel stands at a position that may lie outside; None is a zero."""
    if 0 <= position < size:
        return position
    if mode == "replicate":
        return 0 if position < 0 else size - 1
    if mode == "reflect":
        return -position if position < 0 else 2 * (size - 1) - position
    if mode == "circular":
        return position % size
    return None


def value_at(x: Any, lead: tuple[int, ...], place: Sequence[int], mode: str) -> float:
    """The number at a place of a padded input."""
    found = [border(p, w, mode) for p, w in zip(place, x.shape[2:], strict=True)]
    return 0.0 if None in found else float(x[(*lead, *found)])


def everywhere(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every index of an array of these sizes."""
    return product(*map(range, sizes))


def conv(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Sequence[int],
    pads: Pairs,
    mode: str = "zero",
    dilation: Sequence[int] | None = None,
    groups: int = 1,
) -> Any:
    """y[n, o, p] = b[o] + sum over c and t of w[o, c, t] x[n, c, p s + t d - before]."""
    kernel = weight.shape[2:]
    dilation = dilation or [1] * len(kernel)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = output_sizes(x.shape[2:], extents, stride, pads, False)
    each_in, each_out = weight.shape[1], weight.shape[0] // groups
    y = np.zeros((x.shape[0], weight.shape[0], *sizes))
    for n, o, *position in everywhere(y.shape):
        total = 0.0 if bias is None else float(bias[o])
        for c, *tap in everywhere(weight.shape[1:]):
            place = [
                p * s + t * d - before
                for p, s, t, d, (before, _) in zip(
                    position, stride, tap, dilation, pads, strict=True
                )
            ]
            channel = o // each_out * each_in + c
            total += float(weight[(o, c, *tap)]) * value_at(x, (n, channel), place, mode)
        y[(n, o, *position)] = total
    return y


def deconv(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Sequence[int],
    pads: Pairs,
    extra: Sequence[int],
    dilation: Sequence[int],
    groups: int = 1,
) -> Any:
    """Every input pixel adds its kernel to the output, `stride` apart; weight [in, out/G, taps]."""
    kernel = weight.shape[2:]
    sizes = [
        (w - 1) * s - before - after + d * (k - 1) + 1 + e
        for w, s, (before, after), d, k, e in zip(
            x.shape[2:], stride, pads, dilation, kernel, extra, strict=True
        )
    ]
    each_in, each_out = weight.shape[0] // groups, weight.shape[1]
    y = np.zeros((x.shape[0], each_out * groups, *sizes))
    for n, c, *position in everywhere(x.shape):
        for o, *tap in everywhere(weight.shape[1:]):
            place = [
                p * s + t * d - before
                for p, s, t, d, (before, _) in zip(
                    position, stride, tap, dilation, pads, strict=True
                )
            ]
            if all(0 <= p < size for p, size in zip(place, sizes, strict=True)):
                channel = c // each_in * each_out + o
                y[(n, channel, *place)] += float(x[(n, c, *position)]) * float(weight[(c, o, *tap)])
    if bias is not None:
        for n, c in everywhere(y.shape[:2]):
            y[n, c] += float(bias[c])
    return y


def pool(
    kind: str,
    x: Any,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    pads: Pairs,
    dilation: Sequence[int] | None = None,
    up: bool = False,
    count_pad: bool = True,
    p: int = 2,
) -> Any:
    """Each window of each channel: "max", "mean" or "norm" of the taps inside the input."""
    dilation = dilation or [1] * len(kernel)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = output_sizes(x.shape[2:], extents, stride, pads, up)
    y = np.zeros((*x.shape[:2], *sizes))
    for n, c, *position in everywhere(y.shape):
        values, counted = [], 0
        for tap in everywhere(kernel):
            place = [
                q * s + t * d - before
                for q, s, t, d, (before, _) in zip(
                    position, stride, tap, dilation, pads, strict=True
                )
            ]
            spans = list(zip(place, x.shape[2:], pads, strict=True))
            if all(0 <= q < w for q, w, _ in spans):
                values.append(float(x[(n, c, *place)]))
            counted += all(-before <= q < w + after for q, w, (before, after) in spans)
        if kind == "max":
            y[(n, c, *position)] = max(values)
        elif kind == "mean":
            y[(n, c, *position)] = sum(values) / (counted if count_pad else len(values))
        else:
            assert kind == "norm"
            y[(n, c, *position)] = sum(abs(v) ** p for v in values) ** (1 / p)
    return y


def lrn(x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
    """x[c] / (k + alpha/size * sum over |j - c| <= (size - 1)/2 of x[j]^2)^beta."""
    y = np.zeros(x.shape)
    half = (size - 1) // 2
    for n, c, *place in everywhere(x.shape):
        near = range(max(0, c - half), min(x.shape[1], c + half + 1))
        squares = sum(float(x[(n, j, *place)]) ** 2 for j in near)
        y[(n, c, *place)] = float(x[(n, c, *place)]) / (k + alpha / size * squares) ** beta
    return y


def adaptive(x: Any, sizes: Sequence[int], combine: Callable[[list[float]], float]) -> Any:
    """Part i of n along W pixels runs from floor(iW/n) to ceil((i + 1)W/n)."""
    y = np.zeros((*x.shape[:2], *sizes))
    for n, c, *part in everywhere(y.shape):
        bounds = [
            range(floor(i * w / parts), ceil((i + 1) * w / parts))
            for i, w, parts in zip(part, x.shape[2:], sizes, strict=True)
        ]
        y[(n, c, *part)] = combine([float(x[(n, c, *place)]) for place in product(*bounds)])
    return y


def linear_upsample(x: Any, scales: Sequence[int]) -> Any:
    """Pixel centres at half, the border repeated, linear along every axis."""
    sizes = [w * f for w, f in zip(x.shape[2:], scales, strict=True)]
    y = np.zeros((*x.shape[:2], *sizes))
    for n, c, *place in everywhere(y.shape):
        shares = []
        for q, w, f in zip(place, x.shape[2:], scales, strict=True):
            centre = (q + 0.5) / f - 0.5
            low = floor(centre)
            share = centre - low
            shares.append(
                [(min(max(low, 0), w - 1), 1 - share), (min(max(low + 1, 0), w - 1), share)]
            )
        y[(n, c, *place)] = sum(
            float(x[(n, c, *(q for q, _ in corner))]) * prod(s for _, s in corner)
            for corner in product(*shares)
        )
    return y
