"""ONNX operators that normalise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim
from compiler.importers.affine import affine, align, single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.idioms import SPATIAL
from compiler.importers.from_onnx.joins import with_constant
from compiler.importers.from_onnx.names import stem
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reducing import reduced
from compiler.importers.from_onnx.reshape import to_shape
from compiler.ops.reshape import Reshape
from compiler.values import Tensor


def epsilon(reading: Reading) -> float:
    """What is added to the variance."""
    return single(reading.get("epsilon", 1e-5))


def samples(reading: Reading) -> Tensor:
    """What is normalised: the channels of each sample of a batch."""
    if not reading.batch:
        raise Refused("its input is no batch of samples")
    return reading.tensor(0)


@converts("BatchNormalization")
def batch_norm(reading: Reading) -> Tensor:
    """Batch normalisation with its running statistics."""
    used = [name for name in reading.operator.outputs[1:] if name and reading.uses.get(name)]
    if reading.get("training_mode", 0) or used:
        raise Refused("it normalises with the statistics of the batch, as in training")
    if reading.get("spatial", 1) != 1:
        raise Refused("spatial=0 normalises each pixel by itself")
    names = ("weight", "bias", "running_mean", "running_var")
    weights = {name: reading.array(index + 1) for index, name in enumerate(names)}
    learned = is_learned(reading, weights)
    return reading.add(
        "bn",
        samples(reading),
        weights={name: weights[name] for name in (names if learned else names[2:])},
        known_by=(1, 2, 3, 4) if learned else (3, 4),
        affine=learned,
        eps=epsilon(reading),
        **momentum(reading),
    )


def momentum(reading: Reading) -> dict[str, float]:
    """The batch's share in the running statistics, where it is one; ONNX has the rest."""
    share = single(1 - single(reading.get("momentum", 0.9)))
    return {"momentum": share} if 0 < share < 1 else {}


def is_learned(reading: Reading, weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether factor and offset, inputs 1 and 2, are more than ones and zeros without a name."""
    varied = bool(np.any(weights["weight"] != 1) or np.any(weights["bias"] != 0))
    return varied or bool(stem(reading.operator.inputs[1]))


@converts("InstanceNormalization")
def instance_norm(reading: Reading) -> Tensor:
    """Each map over its own pixels."""
    weights = {"weight": reading.array(1), "bias": reading.array(2)}
    learned = is_learned(reading, weights)
    return reading.add(
        "instancenorm",
        samples(reading),
        weights=weights,
        known_by=(1, 2) if learned else (),
        affine=learned,
        eps=epsilon(reading),
    )


@converts("GroupNormalization")
def group_norm(reading: Reading) -> Tensor:
    """Each group of channels; before opset 21 factor and offset are one for each group.

    Where they are written out behind it, with the shape that is `given`, they may be of another
    axis than the channels.
    """
    x, groups = samples(reading), int(reading.get("num_groups"))
    of_channels = (x.shape[0], *(1,) * (len(x.shape) - 1))
    if reading.get("given", of_channels) != of_channels:
        y = reading.add("groupnorm", x, groups=groups, eps=epsilon(reading), affine=False)
        y = with_constant(reading, "Mul", y, reading.array(1), 1)
        return with_constant(reading, "Add", y, reading.array(2), 2)
    weights = {"weight": reading.array(1).reshape(-1), "bias": reading.array(2).reshape(-1)}
    channels, learned = x.shape[0], is_learned(reading, weights)
    if isinstance(channels, int):
        weights = {
            name: np.repeat(value, channels // value.size) for name, value in weights.items()
        }
    return reading.add(
        "groupnorm",
        x,
        weights=weights if learned else {},
        known_by=(1, 2) if learned else (),
        groups=groups,
        eps=epsilon(reading),
        affine=learned,
    )


@converts("LRN")
def local_response_norm(reading: Reading) -> Tensor:
    """Local response normalisation; alpha is divided by the size there as here."""
    size = int(reading.get("size"))
    if size % 2 == 0:
        raise Refused(f"its size {size} is even; ours reaches as far before as after")
    return reading.add(
        "lrn",
        samples(reading),
        size=size,
        alpha=single(reading.get("alpha", 1e-4)),
        beta=single(reading.get("beta", 0.75)),
        k=single(reading.get("bias", 1.0)),
    )


@converts("LayerNormalization")
def layer_norm(reading: Reading) -> Tensor | list[Tensor]:
    """Normalisation over the last axes of a sample, and its statistics when they are used."""
    y = normalised(reading)
    if not any(name and reading.uses.get(name) for name in reading.operator.outputs[1:]):
        return y
    x = reading.tensor(0)
    axes = range(reading.axis(int(reading.get("axis", -1)), x), len(x.shape))
    mean = reduced(reading, x, axes, "mean", kept=True)
    squares = reading.add("power", reading.add("sub", x, mean), exponent=2)
    variance = reduced(reading, squares, axes, "mean", kept=True)
    shifted = reading.add("shift", variance, offset=epsilon(reading))
    return [y, mean, reading.add("power", shifted, exponent=-0.5)]


def normalised(reading: Reading) -> Tensor:
    """Normalisation over the last axes of a sample, or over those of one that is written out."""
    x = reading.tensor(0)
    written_out = reading.get("axes")
    if written_out == SPATIAL:
        written_out = range(2, len(x.shape) + reading.batch)
    first = 0 if written_out else reading.axis(int(reading.get("axis", -1)), x)
    given = [reading.axis(int(axis), x) for axis in written_out or ()]
    axes = sorted(given) or [*range(first, len(x.shape))]
    factor, offset = (
        align(reading.array(index), x.shape) if reading.has(index) else None for index in (1, 2)
    )
    both = {} if factor is None or offset is None else {"weight": factor, "bias": offset}
    if both and not is_learned(reading, both):
        factor = offset = None
    rest = [axis for axis in range(len(x.shape)) if axis not in axes]
    if written_out and len(rest) == 1:
        channelwise = of_channels(reading, x, rest[0], factor, offset)
        if channelwise is not None:
            return channelwise
    known = all(isinstance(x.shape[axis], int) for axis in axes)
    learned = [value for value in (factor, offset) if value is not None]
    fits = all(varying(value) <= {*axes} for value in learned)
    named = reading.has(1) and bool(stem(reading.operator.inputs[1]))
    plain = not learned or (factor is not None and (named or any(map(varying, learned))))
    if fits and known and plain:
        return over(reading, x, axes, factor, offset)
    y = over(reading, x, axes, None, None) if known else by_moments(reading, x, axes)
    ones = np.ones(1) if factor is None else factor
    return affine(reading.add, y, ones, np.zeros(1) if offset is None else offset)


Values = NDArray[Any] | None


def varying(values: NDArray[Any]) -> set[int]:
    """The axes along which constants may differ."""
    return {axis for axis, size in enumerate(values.shape) if size != 1}


def over(reading: Reading, x: Tensor, axes: list[int], factor: Values, offset: Values) -> Tensor:
    """`layernorm` over these axes."""
    named: dict[str, Any] = {}
    if len(axes) < len(x.shape):
        named["axis"] = axes if len(axes) > 1 else axes[0]
    if factor is None:
        return reading.add("layernorm", x, eps=epsilon(reading), affine=False, **named)
    offset = np.zeros_like(factor) if offset is None else offset
    return reading.add(
        "layernorm",
        x,
        weights={"weight": along(factor, x, axes), "bias": along(offset, x, axes)},
        known_by=(1, 2),
        eps=epsilon(reading),
        **named,
    )


def by_moments(reading: Reading, x: Tensor, axes: list[int]) -> Tensor:
    """Normalisation over axes of open size, which no layer has."""
    if len(axes) == len(x.shape):
        return reading.add("groupnorm", x, groups=1, eps=epsilon(reading), affine=False)
    centred = reading.add("sub", x, reduced(reading, x, axes, "mean", kept=True))
    square = reading.add("power", centred, exponent=2)
    variance = reduced(reading, square, axes, "mean", kept=True)
    shifted = reading.add("shift", variance, offset=epsilon(reading))
    return reading.add("mul", centred, reading.add("power", shifted, exponent=-0.5))


def of_channels(
    reading: Reading, x: Tensor, left: int, factor: Values, offset: Values
) -> Tensor | None:
    """Normalisation over all axes but the one `left`: of each channel, or group of channels.

    Keras' GroupNormalization cuts the channels in two axes, normalises over all but the first of
    them, with a factor and offset for each place of the two, and puts them together again. None
    where this is not it.
    """
    groups, parts = x.shape[left], x.shape[left + 1 : left + 2]
    whole = x
    made_by = reading.builder.graph[str(x.node)]
    if isinstance(made_by.op, Reshape) and parts:
        (source,) = made_by.inputs
        merged = (*x.shape[:left], groups * parts[0], *x.shape[left + 2 :])
        if reading.builder.graph[source].shape == merged:
            whole = Tensor(source, merged)
    channels = whole.shape[left]
    places = [left] if whole is x else [left, left + 1]
    learned = [value for value in (factor, offset) if value is not None]
    if isinstance(groups, Dim) or isinstance(channels, Dim) or len(x.shape) == 1:
        return None
    if any(varying(value) - {*places} for value in learned):
        return None
    if whole is x and (len(x.shape) == 2 or not (learned or left == 0)):
        return None
    sizes = (groups, channels // groups)[: len(places)]
    flat = [
        np.full(channels, otherwise)
        if v is None
        else np.broadcast_to(v.reshape([v.shape[axis] for axis in places]), sizes).reshape(-1)
        for v, otherwise in ((factor, 1.0), (offset, 0.0))
    ]
    rank = len(whole.shape)
    order = [left, *(axis for axis in range(rank) if axis != left)]
    moved = reading.add("transpose", whole, order=order) if left else whole
    alone = groups == channels and rank > 1
    y = reading.add(
        "instancenorm" if alone else "groupnorm",
        moved,
        weights=dict(zip(("weight", "bias"), flat, strict=True)) if learned else {},
        known_by=(1, 2),
        eps=epsilon(reading),
        affine=bool(learned),
        **({} if alone else {"groups": groups}),
    )
    back = sorted(range(rank), key=lambda axis: order[axis])
    return to_shape(reading, reading.add("transpose", y, order=back) if left else y, x.shape)


def along(values: NDArray[Any], x: Tensor, axes: list[int]) -> NDArray[Any]:
    """Constants that vary along these axes of a sample only, one for each value of them.

    They have as many axes as the sample.
    """
    sizes = [x.shape[axis] for axis in axes]
    shape = tuple(size for size in sizes if isinstance(size, int))
    if len(shape) != len(sizes):
        raise Refused("it needs an input of known size")
    return np.broadcast_to(values.reshape([values.shape[axis] for axis in axes]), shape)
