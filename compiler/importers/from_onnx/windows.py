"""ONNX operators that slide a window: convolutions and poolings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.views import Bordered
from compiler.importers.window_arguments import (
    Pairs,
    convolution_pad,
    each,
    kernel,
    onnx_pairs,
    pooling_pad,
    spelled,
)
from compiler.values import Tensor

WORDS = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def spatial_rank(reading: Reading, tensor: Tensor) -> int:
    """How many axes a window slides along; there must be at least one."""
    rank = len(tensor.shape) - 1
    if rank < 1 or not reading.batch:
        raise Refused("its input has no spatial axis")
    return rank


def numbers(reading: Reading, name: str, rank: int, default: int = 1) -> tuple[int, ...]:
    """An attribute with a number for each spatial axis."""
    values = tuple(int(v) for v in reading.get(name) or (default,) * rank)
    if len(values) != rank:
        raise Refused(f"{name} has {len(values)} numbers for {rank} spatial axes")
    return values


def word(reading: Reading) -> str | None:
    """What auto_pad asks for, None for explicit pads."""
    given = reading.get("auto_pad", "NOTSET") or "NOTSET"
    if given == "NOTSET":
        return None
    if given not in WORDS:
        raise Refused(f"its auto_pad is {given}")
    reading.builder.note(f"auto_pad={given} became explicit pads or a word of ours")
    return WORDS[given]


def pairs_of(reading: Reading, rank: int) -> Pairs:
    """The explicit pads."""
    flat = reading.get("pads") or (0,) * (2 * rank)
    if len(flat) != 2 * rank:
        raise Refused(f"pads has {len(flat)} numbers for {rank} spatial axes")
    return onnx_pairs(flat)


def bias_of(reading: Reading, index: int) -> dict[str, NDArray[Any]]:
    """The bias when there is one."""
    return {"bias": reading.array(index)} if reading.has(index) else {}


@converts("Conv")
def conv(reading: Reading) -> Tensor:
    """Convolution; one constant kernel on every channel, of no layer's own, is `filter`."""
    x, weight = reading.tensor(0), reading.array(1)
    rank, sizes, strides, dilations = taps_of(reading, x, weight)
    extents = [d * (k - 1) + 1 for k, d in zip(sizes, dilations, strict=True)]
    facts = reading.builder.graph.facts
    asked = word(reading)
    pad = (
        spelled(asked, x.shape[1:], extents, strides, facts)
        if asked
        else convolution_pad(pairs_of(reading, rank), x.shape[1:], extents, strides, facts)
    )
    group = int(reading.get("group", 1))
    check_channels(x, weight.shape[1] * group)
    fixed = is_filter(reading, weight, group)
    if fixed and set(dilations) == {1}:
        return reading.add(
            "filter", x, kernel_values=weight[0, 0].tolist(), stride=each(strides), pad=pad
        )
    taps, channels = (sizes, strides, dilations), weight.shape[0]
    return add_convolution(
        reading, "conv", x, weight, taps, channels, group, named=not fixed, pad=pad
    )


def taps_of(
    reading: Reading, x: Tensor, weight: NDArray[Any]
) -> tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The spatial axes of a convolution, and for each of them its kernel, stride and dilation."""
    rank = spatial_rank(reading, x)
    strides, dilations = numbers(reading, "strides", rank), numbers(reading, "dilations", rank)
    return rank, kernel_of(reading, weight), strides, dilations


def add_convolution(
    reading: Reading,
    op: str,
    x: Tensor,
    weight: NDArray[Any],
    taps: tuple[tuple[int, ...], ...],
    channels: int,
    groups: int,
    *,
    named: bool = True,
    **more: Any,
) -> Tensor:
    """A `conv` or `deconv` with its weight, after which it is called if `named`, and its bias."""
    sizes, strides, dilations = taps
    bias = bias_of(reading, 2)
    return reading.add(
        op,
        x,
        weights={"weight": weight, **bias},
        known_by=(1, 2) if named else (),
        channels=channels,
        kernel=kernel(sizes),
        stride=each(strides),
        dilation=each(dilations),
        groups=groups,
        bias=bool(bias),
        **more,
    )


def kernel_of(reading: Reading, weight: NDArray[Any]) -> tuple[int, ...]:
    """The kernel's sizes, which the weight has too; raises `Refused` where it has others."""
    sizes = weight.shape[2:]
    declared = reading.get("kernel_shape")
    if declared and tuple(declared) != sizes:
        raise Refused(f"its kernel_shape is {list(declared)}, its weight is {list(weight.shape)}")
    return sizes


def check_channels(x: Tensor, wanted: int) -> None:
    """Raise `Refused` unless the input has as many channels as the weight takes."""
    if not isinstance(x.shape[0], Dim) and x.shape[0] != wanted:
        raise Refused(f"its weight takes {wanted} channels, its input has {x.shape[0]}")


def is_filter(reading: Reading, weight: NDArray[Any], group: int) -> bool:
    """Whether every channel has the same kernel, which no layer learns."""
    depthwise = weight.shape[1] == 1 and weight.shape[0] == group
    small = weight[0].size <= 121 and not reading.has(2)
    if not reading.is_of_code(1):
        return False
    return depthwise and small and bool(np.all(weight == weight[:1]))


@converts("ConvTranspose")
def deconv(reading: Reading) -> Tensor:
    """Transposed convolution; a wanted output size is worked back to pads."""
    x, weight = reading.tensor(0), reading.array(1)
    rank, sizes, strides, dilations = taps_of(reading, x, weight)
    extra = list(numbers(reading, "output_padding", rank, 0))
    check_channels(x, weight.shape[0])
    pairs = list(pairs_of(reading, rank))
    asked, wanted = word(reading), reading.get("output_shape")
    for axis in range(rank if asked or wanted else 0):
        extent = dilations[axis] * (sizes[axis] - 1) + 1
        if wanted:
            size = x.shape[1 + axis]
            if isinstance(size, Dim):
                raise Refused("output_shape fixes a size that is symbolic")
            total = (size - 1) * strides[axis] + extra[axis] + extent - wanted[-rank:][axis]
        else:
            total = extent - strides[axis] + extra[axis] if asked != "valid" else 0
        if total < 0:
            extra[axis], total = extra[axis] - total, 0
        small, large = total // 2, total - total // 2
        pairs[axis] = (small, large) if asked == "same" else (large, small)
    group = int(reading.get("group", 1))
    pad = convolution_pad(tuple(pairs), (), (), (), reading.builder.graph.facts)
    taps, more = (sizes, strides, dilations), {"pad": pad, "output_pad": each(extra)}
    return add_convolution(
        reading, "deconv", x, weight, taps, weight.shape[1] * group, group, **more
    )


@converts("MaxPool", "AveragePool", "LpPool")
def pool(reading: Reading) -> Tensor:
    """The poolings with a window."""
    operator = reading.operator
    if len(operator.outputs) > 1 and reading.uses.get(operator.outputs[1]):
        raise Refused("its second output, the places of the largest values, is used")
    around = reading.value(0)
    x = around.tensor if isinstance(around, Bordered) else reading.tensor(0)
    rank = spatial_rank(reading, x)
    kernels = numbers(reading, "kernel_shape", rank)
    strides, dilations = numbers(reading, "strides", rank), numbers(reading, "dilations", rank)
    extents = [d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True)]
    facts = reading.builder.graph.facts
    arguments: dict[str, Any] = {"kernel": kernel(kernels)}
    if strides != kernels:
        arguments["stride"] = each(strides)
    if set(dilations) != {1}:
        arguments["dilation"] = each(dilations)
    counts = operator.type == "AveragePool" and bool(reading.get("count_include_pad", 0))
    asked = word(reading)
    if isinstance(around, Bordered):
        if asked not in (None, "valid"):
            raise Refused("it pads what minus infinity pads already")
        own = pairs_of(reading, rank)
        pairs = tuple((a + c, b + d) for (a, b), (c, d) in zip(own, around.pairs, strict=True))
        pad, ceil = pooling_pad(pairs, x.shape[1:], kernels, strides, dilations, facts)
    elif asked:
        pad, ceil = spelled(asked, x.shape[1:], extents, strides, facts), False
    elif counts:
        pairs = pairs_of(reading, rank)
        pad, ceil = convolution_pad(pairs, x.shape[1:], extents, strides, facts), False
    else:
        pairs = pairs_of(reading, rank)
        pad, ceil = pooling_pad(pairs, x.shape[1:], kernels, strides, dilations, facts)
    arguments |= {"pad": pad, "ceil": ceil or bool(reading.get("ceil_mode", 0))}
    if operator.type == "LpPool":
        arguments["p"] = int(reading.get("p", 2))
    if operator.type == "AveragePool" and pad != 0 and pad != "valid" and not counts:
        arguments["count_pad"] = False
    names = {"MaxPool": "maxpool", "AveragePool": "avgpool", "LpPool": "lppool"}
    return reading.add(names[operator.type], x, **arguments)


@converts("GlobalAveragePool", "GlobalMaxPool")
def global_pool(reading: Reading) -> Tensor:
    """The poolings over the whole map."""
    x = reading.tensor(0)
    spatial_rank(reading, x)
    return reading.add("gap" if reading.operator.type == "GlobalAveragePool" else "gmp", x)
