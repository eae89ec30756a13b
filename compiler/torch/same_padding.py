"""Padding that keeps the size of a map, said so: `padding="same"`.

PyTorch takes that where a convolution has no stride, and pads as much on both sides of an odd
kernel. A class whose calls have kernels of several sizes need not be told a padding for each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from compiler.torch.layer import Call, with_inner

SAME = "same"
CONVOLUTION = re.compile(r"nn\.Conv\dd")


def keeps_size(conv: Call) -> bool:
    """Whether a convolution pads so much that what it makes is as large as what it takes."""
    told = {name: value for name, value, _ in conv.keywords}
    rank = int(conv.function[-2])
    kernel, stride, padding, dilation = (
        value if isinstance(value, tuple) else (value,) * rank
        for value in (conv.arguments[2], told["stride"], told["padding"], told["dilation"])
    )
    axes = zip(kernel, padding, dilation, strict=True)
    return {*stride} == {1} and all(2 * pad == by * (taps - 1) for taps, pad, by in axes)


def padding_of(conv: Call) -> Any:
    """How much a convolution pads."""
    return next(value for name, value, _ in conv.keywords if name == "padding")


def convolutions(call: Call) -> Iterator[Call]:
    """The convolutions of a module, in their order."""
    if CONVOLUTION.fullmatch(call.function):
        yield call
        return
    for value in call.values:
        if isinstance(value, Call):
            yield from convolutions(value)


def may_be_same(convs: Collection[Call]) -> bool:
    """Whether `"same"` is as short in the place of convolutions that stand in one place.

    It is in that of unequal numbers: of those for each axis, or of those of several calls.
    """
    keep = [keeps_size(conv) for conv in convs]
    values = {padding_of(conv) for conv in convs}
    if len(values) > 1:
        return any(keep)
    return all(keep) and isinstance(next(iter(values)), tuple)


def with_same(call: Call, places: Collection[int]) -> Call:
    """A module whose convolutions say `"same"` in some places, where they keep the size."""
    rest = iter(range(len([*convolutions(call)])))

    def changed(inner: Call) -> Call:
        if not CONVOLUTION.fullmatch(inner.function):
            return with_inner(inner, changed)
        if next(rest) not in places or not keeps_size(inner):
            return inner
        keywords = tuple(
            (name, SAME if name == "padding" else value, default)
            for name, value, default in inner.keywords
        )
        return replace(inner, keywords=keywords)

    return changed(call)
