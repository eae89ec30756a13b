"""Constants of other formats that multiply or add, as layers of ours.

One number for all is `scale` or `shift`. A number for each channel is a 1x1 convolution of each
channel by itself, which may merge with its neighbours. Others are tensors that are joined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.builder import Refused
from compiler.importers.window_arguments import kernel
from compiler.ops.base import Shape
from compiler.values import Tensor

Add = Callable[..., Tensor]
Numbers: TypeAlias = NDArray[Any]


def affine(
    add: Add, x: Tensor, factor: Numbers, offset: Numbers, known_by: tuple[int, ...] = ()
) -> Tensor:
    """x * factor + offset, each of a shape that broadcasts over the sample's."""
    if factor.size == offset.size == 1:
        return uniform(add, x, single(factor.item()), single(offset.item()))
    factor, offset = (alike(align(values, x.shape)) for values in (factor, offset))
    if factor.size == offset.size == 1:
        return uniform(add, x, single(factor.item()), single(offset.item()))
    shape = np.broadcast_shapes(factor.shape, offset.shape)
    varying = [axis for axis, size in enumerate(shape) if size != 1]
    if varying == [0] or not varying:
        return channelwise(add, x, factor.reshape(-1), offset.reshape(-1), known_by)
    return joined(add, x, factor, offset)


def joined(add: Add, x: Tensor, factor: Numbers, offset: Numbers) -> Tensor:
    """A factor and offset that vary along other axes than the channels, as tensors joined."""
    if np.any(factor != 1):
        x = add("mul", x, fixed(add, factor))
    return add("add", x, fixed(add, offset)) if np.any(offset) else x


def fixed(add: Add, values: Numbers) -> Tensor:
    """A tensor whose numbers stand with the weights."""
    return add("const", weights={"": values}, shape=list(values.shape))


def single(value: float) -> float:
    """A 32-bit float as a short decimal that means it: 0.001, not 0.0010000000474974513.

    One unit in its last place, by which exporters miss a decimal, is not kept.
    """
    short = float(f"{value:.6g}")
    return short if abs(short - value) <= 2e-7 * abs(value) else float(str(np.float32(value)))


def uniform(add: Add, x: Tensor, factor: float, offset: float) -> Tensor:
    """One factor and one offset for all."""
    if factor != 1:
        x = add("scale", x, factor=factor)
    return add("shift", x, offset=offset) if offset != 0 else x


def alike(values: Numbers) -> Numbers:
    """One number in the place of a map of nothing else; what a channel has each may be learned."""
    varying = sum(size != 1 for size in values.shape)
    same = varying > 1 and bool(np.all(values == values.flat[0]))
    return values[(slice(0, 1),) * values.ndim] if same else values


def align(values: Numbers, shape: Shape) -> Numbers:
    """Constants with as many axes as the sample; a leading batch of 1 is dropped."""
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = values[0]
    if values.ndim > len(shape):
        raise Refused(f"a constant of shape {list(values.shape)} differs along the batch")
    values = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
    for have, size in zip(values.shape, shape, strict=True):
        if have != 1 and have != size:
            raise Refused(
                f"a constant of shape {list(values.shape)} stretches its input "
                f"[{', '.join(map(str, shape))}]"
            )
    return values


def channelwise(
    add: Add, x: Tensor, factor: Numbers, offset: Numbers, known_by: tuple[int, ...] = ()
) -> Tensor:
    """A factor and an offset for each channel, as a convolution of one pixel; of a vector too."""
    if isinstance(x.shape[0], Dim):
        raise Refused("a constant for each channel needs a known number of channels")
    channels, is_vector = x.shape[0], len(x.shape) == 1
    pixel = (1,) * max(len(x.shape) - 1, 1)
    weights = {"weight": np.broadcast_to(factor, (channels,)).reshape(channels, 1, *pixel)}
    if np.any(offset):
        weights["bias"] = np.broadcast_to(offset, (channels,))
    y = add(
        "conv",
        add("reshape", x, shape=[channels, 1]) if is_vector else x,
        weights=weights,
        known_by=known_by,
        of_constants=True,
        channels=channels,
        kernel=kernel(pixel),
        groups=channels,
        bias="bias" in weights,
    )
    return add("flatten", y) if is_vector else y
